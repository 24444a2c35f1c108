"""Sums as text, against Python's own decimals; and some of them alone."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.readings import Readings
from scoring.engine import Engine
from tests.scoring.test_engine import BASE, MINUTE, registry

WIDE = Context(prec=80, rounding=ROUND_HALF_EVEN)
HOUR = 60 * MINUTE


@given(st.integers(-(10**15), 10**15), st.sampled_from(["1", "0.25", "1e-6", "125", "0.000000001"]))
def test_an_amount_has_all_its_digits_and_no_more(value: int, step: str) -> None:
    """The text is the exact total, and ends in no zero behind the point."""
    plant = registry(f'n = {{ unit = "t", kind = "amount", step = "{step}" }}', windows='["1h"]')
    engine = Engine(plant, event_clock=True)
    engine.push(Readings.of([0], [BASE + MINUTE], [value]))
    (found,) = engine.sums(BASE + HOUR)
    assert found.sum is not None
    assert Fraction(found.sum) == value * Fraction(step)
    assert found.sum == "0" or not found.sum.endswith(".")
    assert "." not in found.sum or not found.sum.endswith("0")


@given(st.integers(-(10**12), 10**12), st.integers(1, 59))
def test_a_level_has_nine_decimals_half_even(value: int, minutes: int) -> None:
    """So has what a rate amounts to: 1e-6 t/h for some minutes is no short decimal."""
    level, rate = '{ unit = "%", kind = "level" }', '{ unit = "t/h", kind = "rate", max_gap = "1h" }'
    plant = registry(f"o2 = {level}\nfeed = {rate}", windows='["1h"]')
    engine = Engine(plant, event_clock=True)
    times = [BASE + m * MINUTE for m in (0, minutes)]
    for row in (0, 1):
        engine.push(Readings.of([row, row], times, [value, value]))
    found = {s.channel: s for s in engine.sums(BASE + minutes * MINUTE)}
    wanted = Fraction(value, 10**6)
    for channel, exact in ("o2", wanted), ("feed", wanted * minutes / 60):
        quotient = WIDE.divide(Decimal(exact.numerator), Decimal(exact.denominator))
        nine = quotient.quantize(Decimal("1e-9"), context=WIDE)
        assert found[channel].sum == f"{nine or abs(nine):f}"


@pytest.mark.parametrize("channels", [[0], [2, 1], []])
def test_some_channels_over_some_windows(channels: list[int]) -> None:
    """They are what they are among all, in the order asked for."""
    tables = "\n".join(f'n{k} = {{ unit = "t", kind = "counter", rise_max = "9/min", step = "1" }}' for k in range(3))
    plant = registry(tables, windows='["10min", "1h"]')
    engine = Engine(plant, event_clock=True)
    for k in range(3):
        ts = [BASE + m * MINUTE for m in range(5)]
        engine.push(Readings.of([k] * 5, ts, [0, 1 + k, 900, 2 + k, 3 + k]))
    every = {(s.channel, s.window): s for s in engine.sums(BASE + 5 * MINUTE)}
    found = engine.sums(BASE + 5 * MINUTE, [1], channels)
    assert found == [every[f"n{k}", "1h"] for k in channels]
    assert all(s.flags for s in found)
