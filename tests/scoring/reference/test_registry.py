"""What the registry means: the twin's words and the engine's, on every registry that we ship, and days by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from devices.plant import load
from devices.plant.model import Kind, Plant
from devices.units import unit
from scoring.degrees.amounts import per_count
from scoring.degrees.coverage import coverage_groups
from scoring.reference import registry
from scoring.reference.degrees import asked
from scoring.rules.benchmarks import choose
from scoring.rules.norms import choose_norm
from scoring.rules.timeline import midnight
from tests.scoring.reference.works import works

ROOT = Path(__file__).parents[3]
SHIPPED = ["devices/simulator/demo.toml", "greengauge/init.toml", "tests/devices/plant.example.toml"]


def plants() -> list[Plant]:
    return [works(), works(boundary="chain"), *(load(ROOT / name) for name in SHIPPED)]


def test_both_hold_a_line_against_the_same() -> None:
    """Benchmarks and norms of every product of every line."""
    for plant in plants():
        counts = {c.counts.id for c in plant.channels if c.counts and c.counts.what == "product"}
        for line in plant.lines:
            for product in sorted(counts):
                assert tuple(registry.benchmark(plant, line, product, [product])) == (
                    choose(plant, line, product, [product]).entries
                )
                for energy in ("electricity", "heat", "comprehensive"):
                    ours = choose_norm(plant, line, product, energy)  # type: ignore[arg-type] # names of its kinds
                    assert tuple(registry.norm(plant, line, product, energy)) == ours.entries


def test_both_ask_for_the_same_channels_and_count_them_alike() -> None:
    """Coverage groups, and what one count of each channel is worth in t, kWh or GJ."""
    for plant in plants():
        measured = {c.index for c in plant.channels if not c.labs}
        for group in coverage_groups(plant):
            if group.degree in ("gd", "lcd", "cd", "sd"):
                theirs = asked(plant, plant.lines[group.line], group.degree)
                assert theirs == tuple(c for c in group.channels if c in measured), (group, theirs)
        for c in (plant.channels[row] for row in measured):
            if c.counts and c.kind is not Kind.LEVEL:
                for target in ("t", "kWh", "GJ", "m3"):
                    if registry.measured_in(c).dimension == unit(target).dimension:
                        assert registry.per_count(plant, c, unit(target)) == per_count(plant, c, unit(target))


@pytest.mark.parametrize(
    ("zone", "day", "ms"),
    [
        ("Asia/Shanghai", date(2026, 1, 2), 1_767_283_200_000),  # 2026-01-01T16:00Z
        ("Europe/Berlin", date(2026, 7, 1), 1_782_856_800_000),  # 2026-06-30T22:00Z
        ("America/Sao_Paulo", date(2018, 11, 4), 1_541_300_400_000),  # the clocks jump over midnight: 03:00Z
        ("America/Havana", date(2025, 11, 2), 1_762_056_000_000),  # they pass 00:00 twice: 04:00Z
    ],
)
def test_when_a_day_begins(zone: str, day: date, ms: int) -> None:
    """By hand; jumps over midnight begin the day, and of two midnights the first."""
    assert registry.midnight(day, zone) == midnight(day, zone) == ms


def test_days_of_a_year_begin_alike() -> None:
    """Every day of 2026 in zones whose clocks change by an hour, by half of one, at midnight, or not."""
    for zone in ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia"):
        for n in range(0, 365, 1 if zone == "Africa/Cairo" else 9):
            day = date(2026, 1, 1) + timedelta(days=n)
            assert registry.midnight(day, zone) == midnight(day, zone), (zone, day)
