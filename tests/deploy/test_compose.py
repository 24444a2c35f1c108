from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from tests.deploy.files import DEPLOY, ROOT, compose, compose_text, example_env

SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
"""The Compose Specification's published schema (compose-spec/compose-spec, Apache-2.0), unchanged."""
OURS = {"greengauge", "simulator"}


def test_it_fits_the_published_schema() -> None:
    """Every key is one that Compose knows, of the type it wants."""
    jsonschema.Draft7Validator(SCHEMA).validate(compose())


def test_the_schema_would_notice() -> None:
    """The check can fail: a misspelt key."""
    broken = compose()
    broken["services"]["grafana"]["evironment"] = {}
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(broken)


def test_no_version_key() -> None:
    """Compose calls it obsolete and warns."""
    assert "version" not in compose()


def test_every_secret_is_asked_for() -> None:
    """Without a filled .env nothing starts with an empty password; the example names every variable that is used."""
    with pytest.raises(KeyError):
        compose_text({})
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    named = set(re.findall(r"^#?(\w+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE))
    assert used - {"GRAFANA_IMAGE"} == named
    assert "filled-influx_token" in compose_text(example_env())


def test_no_secret_has_a_default() -> None:
    """A password that everybody knows is none."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert not re.search(r"(PASSWORD|TOKEN)\w*:-[^}$]", text)
    assert not re.search(r"^\w*(PASSWORD|TOKEN)=\S", (DEPLOY / "example.env").read_text(), re.MULTILINE)


def test_every_service_is_watched_and_comes_back() -> None:
    """A healthcheck (ours is in the image) and a restart policy each; what is waited for has one."""
    services = compose()["services"]
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert "healthcheck" in service or name == "greengauge", name
        for other in service.get("depends_on", {}):
            assert other in services


def test_only_the_broker_listens_beyond_this_machine() -> None:
    """Pages and databases are published on loopback."""
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert name == "mosquitto" or port.startswith("127.0.0.1:"), (name, port)


def test_everything_mounted_exists() -> None:
    """Every bind mount's source is in the repository, every named volume is declared."""
    found = compose()
    for service in found["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in found["volumes"] or (ROOT / source).exists() or source.startswith("filled-"), volume
    assert (ROOT / "greengauge/init.toml").exists()


def test_our_settings_are_settings() -> None:
    """Each GREENGAUGE_ variable of the file is one that the program reads."""
    from greengauge.settings import Settings

    known = {f"GREENGAUGE_{name.upper()}" for name in Settings.model_fields}
    for name, service in compose()["services"].items():
        asked = {key for key in service.get("environment", {}) if key.startswith("GREENGAUGE_")}
        assert asked <= known
        assert bool(asked) == (name in OURS)
