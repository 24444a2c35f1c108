"""docs/why.md and docs/uncertainty.md: what they say comes out is what comes out."""

from __future__ import annotations

import json
import re

import pytest

from tests.system.running import ROOT
from tests.system.test_replay_cases import Bench, bench  # noqa: F401 - a fixture


@pytest.mark.parametrize("page", ["why", "uncertainty"])
def test_the_example_runs(bench: Bench, page: str) -> None:
    """Registry and readings as printed, through the command as printed."""
    text = (ROOT / "docs" / f"{page}.md").read_text()
    registry, readings, result = (
        re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL) for kind in ("toml", "csv", "json")
    )
    (bench.folder / "readings.csv").write_text(readings[0])
    flags = ["--why", "1h"] if page == "why" else []
    told = bench.command(
        "replay", bench.registry(registry[0]), bench.folder / "readings.csv", "--json", *flags
    ).splitlines()
    expected = json.loads(result[0])
    things = [json.loads(line) for line in told]
    [found] = [
        thing
        for thing in things
        if all(thing.get(k) == expected[k] for k in ("scope", "degree", "window")) and expected.keys() <= thing.keys()
    ]
    if page == "why":
        assert found == expected
    for key, value in expected.items():
        assert found[key] == (pytest.approx(value, abs=1e-7) if isinstance(value, float) else value), key
