"""Decimal text becomes a count of steps exactly, half to even."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.quantise import INT64_MAX, LONGEST, Quantum, quantise

MICRO = Fraction(1, 10**6)

STEPS = st.one_of(
    st.integers(0, 18).map(lambda k: Fraction(1, 10**k)),
    st.sampled_from([Fraction(1), Fraction(10), Fraction(1, 4), Fraction(1, 3), Fraction(5, 7), Fraction(10**9)]),
)
NUMBERS = st.from_regex(r"-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?", fullmatch=True).filter(str.isascii)


@pytest.mark.parametrize(
    ("text", "step", "count"),
    [
        ("0", "1", 0),
        ("12.34", "0.01", 1234),
        ("12.3", "0.001", 12300),
        ("-0.0", "0.1", 0),
        ("0.5", "1", 0),
        ("1.5", "1", 2),
        ("2.5", "1", 2),
        ("-2.5", "1", -2),
        ("-3.5", "1", -4),
        ("2.5000000000000000000000001", "1", 3),
        ("2.4999999999999999999999999", "1", 2),
        ("1e3", "0.01", 100000),
        ("1E-3", "0.001", 1),
        ("1.25e+1", "0.1", 125),
        ("5e-324", "0.000001", 0),
        ("1.79e308", "0.000001", None),
        ("-1e308", "1", None),
        ("1e999999999999999999999999", "1", None),
        ("1e-999999999999999999999999", "1", 0),
        ("0e999999999999999999999999", "1", 0),
        ("9223372036854775807", "1", 2**63 - 1),
        ("9223372036854775807.5", "1", None),
        ("9223372036854775808", "1", None),
        ("-9223372036854775808", "1", -(2**63)),
        ("9223372036854.775807", "0.000001", 2**63 - 1),
        ("9223372036854.775808", "0.000001", None),
        ("7", "5", 1),
        ("12.5", "5", 2),
        ("17.5", "5", 4),
        ("1", "1/3", 3),
        ("+1.5", "0.1", 15),
        (".5", "0.1", 5),
        ("5.", "0.1", 50),
        ("007", "1", 7),
    ],
)
def test_cases(text: str, step: str, count: int | None) -> None:
    """Each case by hand; the same for text and bytes."""
    assert quantise(text, Fraction(step)) == count
    assert quantise(text.encode(), Fraction(step)) == count


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1,5", "0x10", "NaN", "inf", "1e", "e5", ".", "-", "--1", "1.2.3", "1_000", "１", "1\n"]
)
def test_refused(text: str) -> None:
    """What is not a decimal number is refused, not guessed."""
    with pytest.raises(ValueError, match="not a decimal number"):
        quantise(text, MICRO)
    with pytest.raises(ValueError, match="not a decimal number"):
        quantise(text.encode(), MICRO)


def test_length() -> None:
    """Longer than `LONGEST` characters is refused before any arithmetic."""
    assert quantise("0." + "3" * (LONGEST - 2), MICRO) == 333333
    with pytest.raises(ValueError, match="too many digits"):
        quantise("0." + "3" * (LONGEST - 1), MICRO)
    assert quantise("9" * LONGEST, MICRO) is None


@settings(max_examples=400, deadline=None)
@given(NUMBERS, STEPS)
def test_equals_decimal(text: str, step: Fraction) -> None:
    """The same as `decimal` with ample precision, or None exactly where that does not fit 64 bits."""
    context = Context(prec=1200, rounding=ROUND_HALF_EVEN, Emax=10**6, Emin=-(10**6))
    quotient = context.multiply(Decimal(text), Decimal(step.denominator))
    exact = Fraction(quotient) / step.numerator
    expected = round(exact)  # Fraction rounds half to even
    fits = -(2**63) <= expected <= INT64_MAX
    assert quantise(text, step) == (expected if fits else None)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(NUMBERS, st.text("0123456789.-+e \0", max_size=24)), min_size=1), STEPS)
def test_many_equals_one(texts: list[str], step: Fraction) -> None:
    """What the columnar form claims to know is what the single form says."""
    quantum = Quantum(step)
    column = np.array([text.encode() for text in texts], dtype=np.bytes_)
    counts, known = quantum.count_many(column)
    for text, count, sure in zip(column.tolist(), counts.tolist(), known.tolist(), strict=True):
        if sure:
            assert quantum.count(text) == count


def test_many_knows_the_common() -> None:
    """Plain decimals, finer than the step or not, need no second look."""
    column = np.array([b"1", b"-1.5", b"0.0625", b"123456.789012", b"-0.0"])
    counts, known = Quantum(Fraction(1, 1000)).count_many(column)
    assert known.all()
    assert counts.tolist() == [1000, -1500, 62, 123456789, 0]
