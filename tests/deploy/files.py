"""The files of deploy/ as data, and Compose's and Grafana's variable interpolation, done here on purpose by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
GRAFANA = DEPLOY / "grafana"


def compose_text(env: dict[str, str]) -> str:
    """docker-compose.yml with ${NAME}, ${NAME:-default}, ${NAME:?message} filled in; KeyError where one is required."""
    text = (ROOT / "docker-compose.yml").read_text()
    inner = re.compile(r"\$\{(\w+)(?::([-?])([^${}]*))?\}")

    def fill(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if env.get(name):
            return env[name]
        if kind == "?":
            raise KeyError(name)
        return rest or ""

    while inner.search(text):
        text = inner.sub(fill, text)
    return text


def example_env() -> dict[str, str]:
    """The names that deploy/example.env asks for, filled."""
    names = re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE)
    return {name: f"filled-{name.lower()}" for name in names}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(compose_text(example_env()))
    return found


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GRAFANA / "dashboards/greengauge.json").read_text())
    return found


def provisioned(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((GRAFANA / f"provisioning/{kind}/greengauge.yml").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in provisioned("alerting")["groups"] for rule in group["rules"]]


def interpolated(query: str, variables: dict[str, str], first: int, last: int, interval: str = "1m") -> str:
    """A panel's or rule's InfluxQL as Grafana would send it."""
    query = query.replace("$timeFilter", f"time >= {first}ms and time <= {last}ms").replace("$__interval", interval)
    query = re.sub(r"\$\{(\w+):regex\}", lambda found: f"({variables[found[1]]})", query)
    query = re.sub(r"\$(\w+)", lambda found: variables[found[1]], query)
    assert not re.search(r"\$[\w{]", query), query
    return query
