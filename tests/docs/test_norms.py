"""docs/norms.md: the works it shows is scored as it says, and every key of a norm stands in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devices.plant import load
from devices.plant.tables.norm import CorrectionTable, NormTable
from devices.readings_file import read
from greengauge.replay.replay import replay

PAGE = (Path(__file__).parent.parent.parent / "docs" / "norms.md").read_text()


def block(language: str) -> str:
    [found] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("text", block("json").splitlines())
def test_worked_example(text: str, tmp_path: Path) -> None:
    """The program prints what the page shows."""
    (tmp_path / "plant.toml").write_text(block("toml"))
    (tmp_path / "readings.csv").write_text(block("csv"))
    plant, shown = load(tmp_path / "plant.toml"), json.loads(text)
    told: list[dict[str, Any]] = list(replay(plant, read(tmp_path / "readings.csv", plant), energy=True))
    [thing] = [t for t in told if all(t.get(k) == shown[k] for k in ("scope", "energy", "product"))]
    assert {k: thing[k] for k in shown} == shown


@pytest.mark.parametrize("model", [NormTable, CorrectionTable])
def test_every_key_is_documented(model: type[NormTable] | type[CorrectionTable]) -> None:
    """A norm can be written from the page alone."""
    keys = {info.alias or name for name, info in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"`{key}`|\b{key} =", PAGE)} == set()
