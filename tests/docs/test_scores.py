"""docs/scores.md: every object it shows is what `greengauge replay` prints of its plant and its readings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parent.parent.parent / "docs" / "scores.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def shown() -> Iterator[dict[str, Any]]:
    for block in blocks("json"):
        yield from map(json.loads, block.splitlines())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What `replay --final` prints for the page's plant and readings."""
    folder = tmp_path_factory.mktemp("scores")
    [plant], [readings] = blocks("toml"), blocks("csv")
    (folder / "plant.toml").write_text(plant)
    (folder / "readings.csv").write_text(readings)
    command = [sys.executable, "-m", "greengauge", "replay", "plant.toml", "readings.csv", "--final", "--json"]
    out = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("example", list(shown()), ids=lambda e: e.get("degree") or e.get("pollutant") or "?")
def test_worked_example(example: dict[str, Any], told: list[dict[str, Any]]) -> None:
    """The program prints exactly the object that the page shows."""
    key = ("scope", "degree", "window", "pollutant", "average")
    [thing] = [t for t in told if all(t.get(k) == example.get(k) for k in key)]
    assert {k: thing[k] for k in example} == example


def test_every_score_has_its_screen() -> None:
    """Each degree and the emission have a section with formula, example, what moves it, what it is not."""
    sections = PAGE.read_text().split("\n## ")
    titled = [s for s in sections if re.match(r"(Green|Low-carbon|Circular|Smart) degree|An emission", s)]
    assert len(titled) == 5
    for section in titled:
        for part in ("**Formula.**", "**Worked.**", "```json", "**What moves it.**", "**What it is not.**"):
            assert part in section, section[:40]
