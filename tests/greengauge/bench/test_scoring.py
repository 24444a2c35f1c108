"""The benchmark's figures: flat, documented, and none of them from answers that do not agree. Nothing here is timed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from greengauge.bench import scoring
from greengauge.bench.figures import Figures
from greengauge.bench.live import late, live
from greengauge.bench.ratio import ratio
from greengauge.bench.rivals import RIVALS
from greengauge.bench.year import year

PAGE = Path(__file__).parents[3] / "docs" / "benchmarks-scoring.md"


@pytest.fixture(scope="module")
def taken() -> Figures:
    """All figures that take seconds, on small plants."""
    figures = Figures()
    ratio(figures, 20_000)
    live(figures, 2)
    late(figures)
    year(figures, 2)
    return figures


def test_answers_agree(taken: Figures) -> None:
    """Ours are exact, every rival's that is here are ours to 1e-9, and the board is the scores."""
    assert taken.values["ratio_check"] == "exact"
    assert taken.values["live_board_is_the_scores"] is True
    assert taken.values["late_board_is_the_scores"] is True
    assert taken.all()["answers"] == "agree"


def test_ours_and_the_rivals_apart_with_their_configuration(taken: Figures) -> None:
    """Each rival has its own CPU figure, version and configuration, or is named as missing."""
    for rival in RIVALS:
        names = {f"ratio_{rival.name}_{what}" for what in ("cpu_ns", "wall_ns", "times", "config", "off_by")}
        here = importlib.util.find_spec(rival.name) is not None
        assert (names <= taken.values.keys()) == here
        assert (rival.name in taken.missing) == (not here)
        assert f"ratio_{rival.name}_version" in taken.values


def test_every_figure_is_documented(taken: Figures) -> None:
    """A name in the JSON stands on the page (rivals under `ratio_RIVAL_…`)."""
    text = PAGE.read_text()
    for name in taken.all():
        plain = name.removeprefix("goal_").removeprefix("met_")
        for rival in RIVALS:
            plain = plain.replace(f"ratio_{rival.name}_", "ratio_RIVAL_")
        assert f"`{plain}`" in text, plain


def test_wrong_answers_fail_the_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The object is flat, a missing rival is said aloud, and answers that disagree are exit code 1."""

    def lacking(figures: Figures, *_: object) -> None:
        figures.lack("polars")
        figures.check("off_by", 0.5, "polars gives other ratios", good=False)

    monkeypatch.setattr(scoring, "ratio", lacking)
    for name in ("live", "late", "memory", "year", "cold"):
        monkeypatch.setattr(scoring, name, lambda *_: None)
    assert scoring.run(as_json=True) == 1
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert not any(isinstance(value, (dict, list)) for value in found.values())
    assert (found["missing_rivals"], found["answers"]) == ("polars", "polars gives other ratios")
    assert "RIVAL MISSING: polars" in told.err
