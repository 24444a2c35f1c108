"""The house: arrows point down only, and the shipped package is exactly the four rooms."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("devices", "ingest", "scoring", "greengauge")
MAY_IMPORT = {
    "devices": set(),
    "ingest": {"devices"},
    "scoring": {"devices"},
    "greengauge": {"devices", "ingest", "scoring"},
}
OUTSIDE = {
    "devices": {"numpy", "pydantic", "pydantic_core"},
    "devices.simulator": {"numpy", "pydantic", "paho", "rich"},
    "ingest": {"numpy", "pydantic", "paho", "influxdb_client", "numba", "google_crc32c", "urllib3"},
    "scoring": {"numpy", "numba"},
}
"""Third-party packages a room may use; greengauge/ may use what pyproject.toml lists."""


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the room"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_down(room: str) -> None:
    """A room imports itself and the rooms below it, nothing else of ours."""
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(room)
        for name in imports(path)
        if name.split(".")[0] in set(ROOMS) - {room} - MAY_IMPORT[room]
    ]
    assert files(room)
    assert not wrong


def test_no_engine_imports_the_simulator() -> None:
    """Nothing that handles real readings may depend on the simulated plant."""
    wrong = [
        str(path.relative_to(ROOT))
        for room in ROOMS[:3]
        for path in files(room)
        if not path.is_relative_to(ROOT / "devices/simulator")
        and any(name.startswith("devices.simulator") for name in imports(path))
    ]
    assert not wrong


def test_the_twin_shares_no_code_with_the_engine() -> None:
    """A mistake in one text must not be in the other: only what both are compared by may know the engine's words."""
    words = {
        "cover.py": ["scoring.windows.sums.CoverageGroup"],
        "table.py": [
            "scoring.results", "scoring.windows.sums.SpanSums", "scoring.degrees.board.Standing",
            "scoring.degrees.coverage.DEGREES",
        ],
    }  # fmt: skip
    wrong = [
        f"{path.name} imports {name}"
        for path in sorted((ROOT / "scoring/reference").glob("*.py"))
        for name in imports(path)
        if name.startswith("scoring.") and not name.startswith("scoring.reference")
        if not any(
            f"{word}.".startswith(f"{name}.") or name.startswith(f"{word}.") for word in words.get(path.name, [])
        )
    ]
    assert not wrong


@pytest.mark.parametrize("room", OUTSIDE)
def test_engines_use_few_libraries(room: str) -> None:
    """What a room takes from outside is listed here, on purpose."""
    import sys

    folder = ROOT / room.replace(".", "/")
    wrong = {
        f"{path.relative_to(ROOT)} imports {top}"
        for path in sorted(folder.rglob("*.py"))
        if room != "devices" or "simulator" not in path.parts
        for top in {name.split(".")[0] for name in imports(path)}
        if top not in sys.stdlib_module_names and top not in ROOMS and top not in OUTSIDE[room]
    }
    assert not wrong


def test_scoring_has_no_clock_no_network_no_asyncio() -> None:
    """Time enters scoring as readings, receive times and ticks; `time` only for `advance`'s work budget."""
    banned = {"asyncio", "socket", "threading", "random", "http", "urllib", "sqlite3", "ssl"}
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files("scoring")
        for name in imports(path)
        if name.split(".")[0] in banned
    ]
    assert not wrong


def test_nothing_else_lies_about() -> None:
    """The root holds what these names say: no readings, logs or scratch files of somebody's run."""
    kept = {*ROOMS, "tests", "docs", "deploy", "scripts", "requirements", "docker-compose.yml", "pyproject.toml"}
    kept |= {"ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md"}
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("no git checkout")
    assert {name.split("/")[0] for name in found.stdout.splitlines() if not name.startswith(".")} == kept
