"""The worked examples of domain.md §7, by the functions themselves and through a stack's minute."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.plant.model import Regime
from scoring.results import Emission
from scoring.stacks.limits import Regimes
from scoring.stacks.minutes import frame
from scoring.stacks.normalise import (
    Form,
    Gas,
    dry_oxygen,
    from_ppm,
    normalise,
    quantise,
    to_dry,
    to_reference,
    to_standard,
)
from tests.scoring.stacks.plants import CHINA, HOUR, PLAIN, Rig, plant

NOON = 12 * HOUR
CHINESE = frame(CHINA)


def minute(channels: dict[str, tuple[float | str, dict[str, object]]], regime: Regime = CHINA) -> dict[str, Emission]:
    """One minute in which every channel shows one value: {name: (value, keys of the channel)} → emissions."""
    rig = Rig(plant({name: keys for name, (_, keys) in channels.items()}, regime=regime))
    rig.push(*((name, NOON, value) for name, (value, _) in channels.items()))
    return {e.pollutant: e for e in rig.stacks.minute(NOON + 60_000)}


def test_example_1_ppm_and_oxides_as_no2() -> None:
    """SO2 86, NO 92, NO2 6 ppm at 13.5 % O2 give HJ 75's mg/m3, with no temperature or pressure step."""
    gas = {
        "so2": (86, {"unit": "ppm"}),
        "no": (92, {"unit": "ppm"}),
        "no2": (6, {"unit": "ppm"}),
        "o2": ("13.5", {"unit": "%", "water": "dry"}),
        "temp": (180, {"unit": "degC"}),
        "pressure": (-800, {"unit": "Pa", "gauge": True}),
    }
    as_seen = minute(gas, PLAIN)
    assert as_seen["so2"].value == pytest.approx(245.9446, abs=5e-5)
    assert as_seen["nox"].value == pytest.approx(201.2719, abs=5e-5)
    assert as_seen["nox"].raw == 98.0
    assert as_seen["nox"].raw_unit == "ppm"
    assert set(as_seen) == {"so2", "nox"}
    to_six = minute(gas, replace(CHINA, o2_ref=Fraction(6)))
    assert to_six["so2"].value == pytest.approx(491.8893, abs=5e-5)
    assert to_six["nox"].value == 402.54375
    assert minute(gas)["nox"].value == pytest.approx(295.1988, abs=5e-5)


@pytest.mark.parametrize(("k0", "factor"), [("273", 1.353142), ("273.15", 1.35295)])
def test_example_2_hot_gas_to_standard_state(k0: str, factor: float) -> None:
    """Ba 101,300 Pa, Ps −800 Pa, 93.4 °C; the gauge pressure is added to the stack's ambient."""
    assert to_standard(1.0, 101_300.0 - 800.0, 93.4, float(k0), float(k0)) == pytest.approx(factor, abs=5e-6)
    found = minute(
        {
            "pm": (1000, {"unit": "mg/m3", "state": "hot"}),
            "temp": ("93.4", {"unit": "degC"}),
            "pressure": ("-0.8", {"unit": "kPa", "gauge": True}),
        },
        replace(PLAIN, standard_k=Fraction(k0)),
    )
    assert found["pm"].value == pytest.approx(1000 * factor, abs=5e-3)
    assert found["pm"].raw == 1000.0


@pytest.mark.parametrize(
    ("celsius", "k0", "expected"),
    [
        ("20", "293.15", 100.0),  # at the standard temperature nothing is to be done
        ("136.85", "293.15", 100 * 410 / 293.15),  # 136.85 °C are 410 K, whatever the standard
        ("137", "293", 100 * 410 / 293),  # whole kelvins: 0 °C is 273 K
    ],
)
def test_a_standard_of_20_degrees_moves_no_zero(celsius: str, k0: str, expected: float) -> None:
    """The stack's temperature in kelvin is its own, not t above the standard one: hot 100 mg/m3 at 101,325 Pa."""
    found = minute(
        {
            "pm": (100, {"unit": "mg/m3", "state": "hot"}),
            "temp": (celsius, {"unit": "degC"}),
            "pressure": (101325, {"unit": "Pa"}),
        },
        replace(PLAIN, standard_k=Fraction(k0)),
    )
    assert found["pm"].value == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("ref", "expected"), [(5, 88.33), (8, 71.67)])
def test_example_3_base_20_9(ref: int, expected: float) -> None:
    """80 ppm at 6.5 % O2 with the US base, to 5 % and to 8 %."""
    us = frame(replace(CHINA, base=Fraction("20.9"), o2_ref=Fraction(ref)))
    assert to_reference(80.0, 6.5, us) == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize(("base", "expected"), [("21", 385.0), ("20.9", 386.329114)])
def test_example_4_passes_raw_breaks_corrected(base: str, expected: float) -> None:
    """NOx 280 at 13 % O2 keeps a limit of 320 as seen, and breaks it at 10 %."""
    found = minute({"nox": (280, {"unit": "mg/m3"}), "o2": (13, {"unit": "%"})}, replace(CHINA, base=Fraction(base)))
    nox = found["nox"]
    assert nox.value == expected
    assert (nox.raw, nox.limit) == (280.0, 320.0)
    assert nox.headroom == pytest.approx(320 - expected)


def test_example_5_wet_oxygen() -> None:
    """O2 wet 10 % with 12 % moisture is 11.36364 % dry."""
    assert dry_oxygen(Gas(o2=10.0, o2_wet=True, moisture=12.0), CHINESE) == pytest.approx(11.36364, abs=5e-6)


@pytest.mark.parametrize(("regime", "expected"), [(PLAIN, 279.4825), (CHINA, 319.0320)])
def test_case_8_wet_ppm_to_dry_reference_oxygen(regime: Regime, expected: float) -> None:
    """SO2 86 ppm wet at 120 °C and 100 kPa: temperature and pressure change nothing, moisture and oxygen do."""
    found = minute(
        {
            "so2": (86, {"unit": "ppm", "water": "wet", "state": "hot"}),
            "o2": (10, {"unit": "%", "water": "wet"}),
            "moisture": (12, {"unit": "%"}),
            "temp": (120, {"unit": "degC"}),
            "pressure": (100, {"unit": "kPa"}),
        },
        regime,
    )
    assert found["so2"].value == pytest.approx(expected, abs=5e-5)


def test_units_become_ours_exactly() -> None:
    """ug/m3, kelvin, absolute kPa and ppb give the same as mg/m3, °C, gauge Pa and ppm."""
    hot = {"state": "hot"}
    celsius, gauge = ("93.4", {"unit": "degC"}), (-800, {"unit": "Pa", "gauge": True})
    kelvin, absolute = ("366.55", {"unit": "K"}), ("100.5", {"unit": "kPa"})
    a = minute({"hg": ("0.012", {"unit": "mg/m3", **hot}), "temp": celsius, "pressure": gauge}, PLAIN)
    b = minute({"hg": (12, {"unit": "ug/m3", **hot}), "temp": kelvin, "pressure": absolute}, PLAIN)
    assert a["hg"].value == b["hg"].value
    assert (b["hg"].raw, b["hg"].raw_unit) == (12.0, "ug/m3")
    ppm, ppb = minute({"nh3": ("2.5", {"unit": "ppm"})}, PLAIN), minute({"nh3": (2500, {"unit": "ppb"})}, PLAIN)
    assert ppm["nh3"].value == ppb["nh3"].value == pytest.approx(2.5 * 17.031 / 22.4, abs=1e-6)


def test_no_by_its_own_mass_counts_as_no2() -> None:
    """An analyser with NO and NO2 in mg/m3: NO is weighed as NO2."""
    found = minute({"no": (100, {"unit": "mg/m3"}), "no2": (10, {"unit": "mg/m3"})}, PLAIN)
    assert found["nox"].value == pytest.approx(100 * 46.005 / 30.006 + 10, abs=1e-6)


def test_molar_mass_of_the_regime() -> None:
    """A regime may count a gas by another molar mass, or one that our table does not know."""
    us = replace(PLAIN, molar={"thc": Fraction("44.1"), "so2": Fraction(64)}, molar_litres=Fraction("24.055"))
    found = minute({"thc": (24, {"unit": "ppm"}), "so2": (10, {"unit": "ppm"})}, us)
    assert found["thc"].value == pytest.approx(24 * 44.1 / 24.055, abs=1e-6)
    assert found["so2"].value == pytest.approx(640 / 24.055, abs=1e-6)


def test_never_down() -> None:
    """A regime may forbid corrections that lower the value."""
    kind = frame(replace(CHINA, never_down=True))
    assert to_reference(100.0, 5.0, CHINESE) < 100.0
    assert to_reference(100.0, 5.0, kind) == 100.0
    assert to_reference(100.0, 12.0, kind) == to_reference(100.0, 12.0, CHINESE)


@pytest.mark.parametrize(
    ("form", "gas", "why"),
    [
        (Form(None, hot=False, wet=False), Gas(), "no oxygen reading"),
        (Form(None, hot=False, wet=False), Gas(o2=20.5), "oxygen is above 20 %"),
        (Form(None, hot=False, wet=False), Gas(o2=10.0, o2_wet=True), "wet oxygen cannot be made dry"),
        (Form(None, hot=False, wet=True), Gas(o2=10.0), "a wet value cannot be made dry"),
        (Form(None, hot=False, wet=True), Gas(o2=10.0, moisture=100.0), "moisture reads 100 %"),
        (Form(None, hot=True, wet=False), Gas(o2=10.0, pressure=1e5), "no temperature reading"),
        (Form(None, hot=True, wet=False), Gas(o2=10.0, celsius=100.0), "no pressure reading"),
        (Form(None, hot=True, wet=False), Gas(o2=10.0, celsius=100.0, pressure=0.0), "below absolute zero"),
        (Form(None, hot=True, wet=False), Gas(o2=10.0, celsius=-300.0, pressure=1e5), "below absolute zero"),
        (Form("xyz", hot=False, wet=False), Gas(o2=10.0), "no molar mass is known for xyz"),
    ],
)
def test_what_cannot_be_normalised_says_why(form: Form, gas: Gas, why: str) -> None:
    """Every way to be invalid has words that a plant engineer understands."""
    found = normalise(100.0, form, gas, CHINESE)
    assert isinstance(found, str)
    assert why in found


def test_oxygen_at_its_guard_is_valid() -> None:
    """Above `o2_max` a minute is invalid, at it it is not."""
    assert normalise(1.0, Form(None, hot=False, wet=False), Gas(o2=20.0), CHINESE) == (11.0, 1.0)


@pytest.mark.parametrize("o2", [20.9, 21.0, 25.0])
def test_oxygen_of_air_never_divides(o2: float) -> None:
    """Without `o2_max` the base itself is the guard: no infinity, no negative emission."""
    open_frame = frame(replace(CHINA, o2_max=None))
    found = normalise(100.0, Form(None, hot=False, wet=False), Gas(o2=o2), open_frame)
    expected = (pytest.approx(100 * 11 / 0.1), 100.0)
    assert found == (expected if o2 < 21 else "oxygen is at or above 21 %: air instead of flue gas")


@given(st.one_of(st.floats(-1e6, 1e6), st.integers(-(10**9), 10**9).map(lambda k: (2 * k + 1) / 2_000_000)))
def test_quantised_half_even_of_the_exact_double(x: float) -> None:
    """Quantising decides on the double's exact value, as rational arithmetic does."""
    assert quantise(x) == round(Fraction(x) * 1_000_000)


def test_order_of_operations() -> None:
    """Hot, wet, oxygen: the chain equals its steps in the written order, bit for bit."""
    gas = Gas(o2=9.8, o2_wet=True, moisture=11.0, celsius=180.0, pressure=100_500.0)
    o2 = dry_oxygen(gas, CHINESE)
    assert isinstance(o2, float)
    dry = to_dry(to_standard(57.3, 100_500.0, 180.0, 273.0, 273.0), 11.0)
    assert normalise(57.3, Form(None, hot=True, wet=True), gas, CHINESE) == (to_reference(dry, o2, CHINESE), dry)
    assert from_ppm(86.0, 64.06, 22.4) == 86.0 * 64.06 / 22.4


def test_regimes_by_date() -> None:
    """The later start wins from its day on; before the first no limit holds; after the end it is used and marked."""
    from datetime import date

    old = replace(CHINA, id="old", start=date(2024, 1, 15), end=date(2025, 12, 31))
    new = replace(CHINA, id="new", start=date(2025, 6, 1), end=date(2025, 12, 31))
    regimes = Regimes([new, old])
    days = (date(2024, 1, 14), date(2024, 1, 15), date(2025, 6, 1), date(2025, 12, 31), date(2026, 1, 1))
    before, first, second, last, after = (regimes.on(d) for d in days)
    assert last.note is None
    assert (before.limited, before.limit("nox", "1h")) == (False, None)
    assert before.note is not None
    assert (first.regime.id, first.limit("nox", "1h"), first.note) == ("old", 320, None)
    assert second.regime.id == "new"
    assert after.limit("nox", "1h") == 320
    assert after.note is not None
    assert "expired" in after.note
