from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

UNIT = DEPLOY / "systemd/greengauge.service"


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.system
def test_systemd_accepts_it(tmp_path: Path) -> None:
    """Its own check, with a program that exists here in place of the installed one."""
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("systemd-analyze is not on PATH")
        pytest.skip("systemd-analyze is not on PATH")
    copy = tmp_path / "greengauge.service"
    copy.write_text(UNIT.read_text().replace("/opt/greengauge/bin/greengauge", sys.executable))
    told = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    copy.write_text(copy.read_text().replace("RestartSec", "RestartSek"))
    told = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert "RestartSek" in told.stderr


def test_no_secret_is_in_the_environment() -> None:
    """Tokens come as credentials; the variables only name their files."""
    credentials = {value.split(":")[0] for value in settings()["LoadCredential"]}
    for value in settings()["Environment"]:
        name, _, rest = value.partition("=")
        if "TOKEN" in name or "PASSWORD" in name:
            assert name.endswith("_FILE")
            assert rest.removeprefix("%d/") in credentials


def test_what_it_writes_it_may_write() -> None:
    """Data and compiled kernels lie in folders that systemd makes for it."""
    found = settings()
    assert "GREENGAUGE_DATA=%S/greengauge" in found["Environment"]
    assert "NUMBA_CACHE_DIR=%C/greengauge" in found["Environment"]
    assert (found["StateDirectory"], found["CacheDirectory"]) == (["greengauge"], ["greengauge"])
    assert found["ProtectSystem"] == ["strict"]
