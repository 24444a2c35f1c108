"""Units are exact, and an unknown one is refused with what may have been meant."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import ConfigurationError
from devices.units import _ATOMS, convert, factor, quantity, unit


@pytest.mark.parametrize(
    ("from_", "to", "expect"),
    [
        ("t", "kg", "1000"),
        ("Mt", "t", "1000000"),
        ("lb", "g", "453.59237"),
        ("short-ton", "lb", "2000"),
        ("short ton", "t", "0.90718474"),
        ("MWh", "GJ", "3.6"),
        ("kgce", "MJ", "29.3076"),
        ("kg CO2/kWh", "t/MWh", "1"),
        ("tCO2/t", "kg CO₂/kg", "1"),
        ("kg/GJ", "t/GJ", "0.001"),
        ("t/d", "kg/h", "125/3"),
        ("kW", "MJ/h", "3.6"),
        ("ug/m3", "mg/m3", "0.001"),
        ("µg/m³", "mg/Nm3", "0.001"),
        ("%", "ppm", "10000"),
        ("mbar", "Pa", "100"),
        ("hPa", "kPa", "0.1"),
        ("person-year", "person-h", "8760"),
        ("l", "m3", "0.001"),
    ],
)
def test_factors_are_exact(from_: str, to: str, expect: str) -> None:
    """A conversion is one exact fraction."""
    assert factor(from_, to) == Fraction(expect)


def test_temperatures_have_zeros() -> None:
    """120 °C is 393.15 K, and 32 °F is 0 °C; a bare factor between them is refused."""
    assert convert(Fraction(120), "degC", "K") == Fraction("393.15")
    assert convert(Fraction(32), "degF", "°C") == 0
    with pytest.raises(ConfigurationError, match="different zeros"):
        factor("degC", "K")


@pytest.mark.parametrize(
    ("rate", "amount", "per_ms"),
    [
        ("t/h", "t", "1/3600000"),
        ("kW", "kWh", "1/3600000"),
        ("t CO2/d", "t CO2", "1/86400000"),
        ("1/min", "1", "1/60000"),
    ],
)
def test_a_rate_knows_its_amount(rate: str, amount: str, per_ms: str) -> None:
    """One of a rate for one millisecond is so much of its amount."""
    assert unit(rate).integral == (unit(amount), Fraction(per_ms))


def test_an_amount_has_no_integral() -> None:
    """Only what is per time can be summed over time."""
    assert not unit("t").is_rate
    with pytest.raises(ValueError, match="not a rate"):
        _ = unit("kWh").integral


@pytest.mark.parametrize(
    ("text", "target", "expect"),
    [
        ("25.8 GJ/t", "GJ/t", "25.8"),
        ("94.6 kg/GJ", "t/GJ", "0.0946"),
        ("0.525 t CO2/t", "t/t", "0.525"),
        ("12000 t/person-year", "t/person-h", "12000/8760"),
        ("1 t/h", "t/h", "1"),
        ("1/min", "1/h", "60"),
        ("101300 Pa", "kPa", "101.3"),
        ("2%", "1", "0.02"),
        ("273 K", "K", "273"),
        ("-1.5e2 kg", "t", "-0.15"),
    ],
)
def test_quantities(text: str, target: str, expect: str) -> None:
    """A number with its unit is read exactly."""
    assert quantity(text).to(target) == Fraction(expect)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("t/hr", "did you mean h?"),
        ("kwh", "kWh"),
        ("tonne", "t?"),
        ("MWH", "MWh"),
        ("mg/m33", "m3"),
        ("C", "degC"),
        ("", "known"),
    ],
)
def test_unknown_units_are_refused(text: str, meant: str) -> None:
    """An unknown unit says what may have been meant."""
    with pytest.raises(ConfigurationError) as refused:
        unit(text)
    assert meant in refused.value.mend


@pytest.mark.parametrize("text", ["", "t", "1,5 t", "١ t", "12", "1e999999 t", "nan t", "- t"])
def test_odd_quantities_are_refused(text: str) -> None:
    """Neither odd digits nor huge exponents nor a number without unit is a quantity."""
    with pytest.raises(ConfigurationError):
        quantity(text)


def test_different_kinds_do_not_convert() -> None:
    """The refusal says what each of the two measures."""
    with pytest.raises(ConfigurationError, match=r"mass per time.*energy"):
        factor("t/h", "GJ")


@given(st.sampled_from(sorted(_ATOMS)), st.sampled_from(sorted(_ATOMS)), st.fractions())
def test_there_and_back(a: str, b: str, value: Fraction) -> None:
    """Converting there and back gives the same number, exactly."""
    if unit(a).dimension == unit(b).dimension:
        assert convert(convert(value, a, b), b, a) == value
