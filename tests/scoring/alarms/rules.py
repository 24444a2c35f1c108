"""Alarm rules for the tests."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from devices.plant.model import AlarmRule
from scoring.alarms import AlarmBook
from tests.scoring.stacks.plants import plant

S = 1000
SCOPE = "stack:acme/wuhu/tail"
NOX = AlarmRule(
    id="nox-high",
    scope=SCOPE,
    pollutant="nox",
    average="1min",
    degree=None,
    window=None,
    at=Fraction(320),
    unit="mg/m3",
    low=False,
    deadband=Fraction("6.4"),
    on_delay_ms=10 * S,
    off_delay_ms=60 * S,
    priority="high",
)
"""The rule of domain.md §5: limit 320, 2 %: clears below 313.6."""

LOW = replace(
    NOX, id="lcd-low", scope="line:acme/wuhu/pyro/k1", pollutant=None, average=None, degree="lcd", window="1h",
    at=Fraction("0.8"), unit="", low=True, deadband=Fraction("0.05"), on_delay_ms=0, off_delay_ms=0, priority="low",
)  # fmt: skip


def book(*rules: AlarmRule) -> AlarmBook:
    """A book of these rules."""
    return AlarmBook(replace(plant({"nox": {"unit": "mg/m3"}}), alarms=rules or (NOX,)))
