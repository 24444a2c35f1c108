"""`.ci/run`: what fails is run once more, but a fault test that failed once has failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

TOOLS = ("mosquitto", "mosquitto_pub", "chromium", "strace", "systemd-analyze", "influxd", "telegraf")
FLAKY = """
import pathlib, pytest
MARK
def test_fails_once():
    seen = pathlib.Path(__file__).with_name("seen")
    again = seen.exists()
    seen.touch()
    assert again
"""


def ci(folder: Path, tests: str) -> subprocess.CompletedProcess[str]:
    """The real `.ci/run` in a project of these tests, with tools that are only names."""
    (folder / ".ci").mkdir()
    shutil.copy(DEPLOY.parent / ".ci/run", folder / ".ci/run")
    for path, text in {
        "scripts/test": 'exec .venv/bin/python -m pytest "$@"\n',
        "pytest.ini": "[pytest]\nmarkers = fault(number)\n",
        "test_it.py": tests,
        ".venv/bin/python": f'#!/bin/sh\nexec {sys.executable} "$@"\n',
        **{f"bin/{tool}": "#!/bin/sh\n" for tool in TOOLS},
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        (folder / path).chmod(0o755)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    told = ["bash", str(folder / ".ci/run")]
    return subprocess.run(
        told, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path, "PYTEST_ADDOPTS": ""}
    )


@pytest.mark.parametrize(("mark", "code"), [("", 0), ("@pytest.mark.fault(1)", 1)])
def test_a_fault_test_is_not_excused_by_a_rerun(tmp_path: Path, mark: str, code: int) -> None:
    """Failed once of twice: fine where it is of a shared machine's noise, a failure where it is of a loss."""
    told = ci(tmp_path, FLAKY.replace("MARK", mark))
    assert told.returncode == code, told.stdout + told.stderr
    assert ("a rerun excuses none" in told.stderr) == bool(mark)


def test_what_fails_twice_fails(tmp_path: Path) -> None:
    """And all green is green."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    assert ci(tmp_path / "bad", "def test_bad():\n    assert 0\n").returncode != 0
    assert ci(tmp_path / "good", "def test_good():\n    assert 1\n").returncode == 0
