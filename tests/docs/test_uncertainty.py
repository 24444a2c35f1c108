"""docs/uncertainty.md: the line it shows is scored as it says, to the last digit."""

from __future__ import annotations

import json
import re
from pathlib import Path

from devices.plant import load
from devices.readings_file import read
from greengauge.replay.replay import replay

PAGE = (Path(__file__).parent.parent.parent / "docs" / "uncertainty.md").read_text()


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_example(tmp_path: Path) -> None:
    """The program prints what the page shows."""
    (tmp_path / "plant.toml").write_text(block("toml"))
    (tmp_path / "readings.csv").write_text(block("csv"))
    plant, shown = load(tmp_path / "plant.toml"), json.loads(block("json"))
    told = replay(plant, read(tmp_path / "readings.csv", plant), final=True)
    [thing] = [t for t in told if all(t.get(k) == shown[k] for k in ("scope", "degree", "window"))]
    assert {k: thing[k] for k in shown} == shown
