"""The wheel: exactly the four packages, and a command that runs from a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(out.glob("*.whl"))


def test_wheel_holds_exactly_four_packages(wheel: Path) -> None:
    """No tests, no deploy files, no stray top level: import names are a contract too."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "devices",
        "greengauge",
        "ingest",
        "scoring",
    }


def test_wheel_ships_its_data(wheel: Path) -> None:
    """Profiles, the demo's registry and the page travel inside the wheel."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "devices/plant/profiles/cement.toml",
        "devices/plant/profiles/steel.toml",
        "devices/simulator/demo.toml",
        "greengauge/page/static/index.html",
    } <= names


def test_command_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed elsewhere, away from the clone, `greengauge` answers."""
    home = tmp_path / "env"
    venv.create(home, with_pip=True)
    # The dependencies are the locked ones of this environment; only our own package comes from the wheel.
    subprocess.run(
        [home / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)],
        check=True,
    )
    site = subprocess.run(
        [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    ours = next((home / "lib").glob("python*/site-packages"))
    # An ordinary path file would also run the editable finder of the clone; plain entries do not.
    (ours / "locked.pth").write_text(site + "\n")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    where = subprocess.run(
        [
            home / "bin/python",
            "-c",
            "import greengauge, scoring; print(greengauge.__file__, scoring.__file__)",
        ],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    ).stdout
    assert str(ROOT / "greengauge") not in where
    registry = tmp_path / "plant.toml"
    subprocess.run([home / "bin/greengauge", "init", str(registry)], check=True, cwd=tmp_path, env=environment)
    checked = subprocess.run(
        [home / "bin/greengauge", "check", str(registry)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
