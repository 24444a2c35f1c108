"""`greengauge replay` as a command: options that do not go together, and a file without readings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devices.errors import ConfigurationError
from greengauge.commands import replay as replay_command

REGISTRY = """
schema = 1
[site.s]
enterprise = "e"
timezone = "UTC"
[line.k]
site = "s"
area = "a"
[meter.m]
line = "k"
every = "10min"
[meter.m.channels]
scrap = { unit = "t", kind = "amount", counts = "material:scrap" }
[material.scrap]
waste = true
"""


def run(folder: Path, text: str, **options: Any) -> None:
    (folder / "plant.toml").write_text(REGISTRY)
    (folder / "readings.csv").write_text(text)
    given: dict[str, Any] = {"every": None, "final": False, "sums": False, "as_json": True}
    replay_command.run(folder / "plant.toml", folder / "readings.csv", **given | options)


@pytest.mark.parametrize("other", [{"why": "1h"}, {"energy": True}])
def test_sums_and_what_is_of_scores(tmp_path: Path, other: dict[str, Any]) -> None:
    """Refused with its mend, not silently left out."""
    with pytest.raises(ConfigurationError) as refused:
        run(tmp_path, "ts,meter,channel,value\n1,m,scrap,1\n", sums=True, **other)
    assert f"--{next(iter(other))}" in refused.value.cause
    assert refused.value.mend


@pytest.mark.parametrize("sums", [False, True])
def test_a_header_and_nothing_below(tmp_path: Path, capsys: pytest.CaptureFixture[str], sums: bool) -> None:
    """Nothing is printed for programs, and people are told why."""
    run(tmp_path, "ts,meter,channel,value\n", sums=sums)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "readings.csv holds no readings: there is nothing to score\n")


def test_readings_leave_stderr_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One reading, and no word about none."""
    run(tmp_path, "ts,meter,channel,value\n1767225600000,m,scrap,1\n")
    out, err = capsys.readouterr()
    assert "line:e/s/a/k" in out
    assert err == ""


@pytest.mark.parametrize(
    ("option", "text"),
    [("known_at", "2026-01-01T00:00:00"), ("known_at", "20260101T00+08"), ("known_at", "9" * 400), ("every", "5x")],
)
def test_an_option_that_cannot_be_read_is_named(tmp_path: Path, option: str, text: str) -> None:
    """Times and periods are read as everywhere else, and the refusal says in which option."""
    with pytest.raises(ConfigurationError) as refused:
        run(tmp_path, "ts,meter,channel,value\n1,m,scrap,1\n", **{option: text})
    assert refused.value.where == f"--{option.replace('_', '-')}"


@pytest.mark.parametrize("options", [{}, {"sums": True}, {"why": "1h"}])
def test_people_read_times_with_their_zone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    """Each line begins with an RFC 3339 time; milliseconds since 1970 are for programs."""
    run(tmp_path, "ts,meter,channel,value\n1767225600000,m,scrap,1\n", as_json=False, **options)
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all(line.startswith("2026-01-01T0") for line in lines)
