from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from devices.plant import load, parse
from devices.plant.model import Kind, Plant
from devices.simulator import DEMO
from devices.simulator.plant import SimulatedMeter, SimulatedPlant, Source

START = 1_763_800_000_000 // 60_000 * 60_000
DAY = START - 86_400_000 + 60_000 * np.arange(1, 1441, dtype=np.int64)
EXCURSION = START + 15_000
F64 = NDArray[np.float64]

ODD = """
schema = 1
[site.s]
enterprise = "e"
country = "CN"
region = "r"
timezone = "Asia/Shanghai"
[line.l]
site = "s"
area = "a"
industry = "i"
people = 3
[product.widget]
unit = "kg"
[fuel.gas]
ncv = "35.9 MJ/m3"
ef = "56.1 kg/GJ"
[meter.m]
line = "l"
every = "10s"
[meter.m.channels]
widgets = { unit = "kg", kind = "amount", step = "0.1", counts = "product:widget" }
gas = { unit = "m3", kind = "counter", modulus = "10000", rise_max = "100000/min", step = "0.01", counts = "fuel:gas" }
power = { unit = "kW", kind = "rate", counts = "electricity" }
speed = { unit = "rpm", kind = "level", range = [100, 300] }
"""


@cache
def demo() -> Plant:
    return load(DEMO)


@cache
def day(seed: int) -> dict[str, F64]:
    """`meter.field` → one reading a minute of a whole day, simulated."""
    model = SimulatedPlant(demo(), seed)
    return {f"{m.meter.name}.{f}": np.array(c, float) for m in model.meters for f, c in m.columns(DAY, 60_000).items()}


def source(model: SimulatedPlant, meter: str, field: str) -> Source:
    found: SimulatedMeter = next(m for m in model.meters if m.meter.name == meter)
    return next(s for s in found.sources if s.channel.field == field)


def total(seed: int, name: str) -> float:
    """The amount of one channel over the day, counters unwrapped."""
    meter, _, field = name.partition(".")
    channel = source(SimulatedPlant(demo(), seed), meter, field).channel
    values = day(seed)[name]
    if channel.kind is Kind.RATE:
        return float(values.sum() / 60)
    if channel.kind is Kind.AMOUNT:
        return float(values.sum())
    steps = np.diff(values)
    return float(np.where(steps < 0, steps + float((channel.modulus or 0) * channel.step), steps).sum() * 1440 / 1439)


def normalised(seen: dict[str, F64], name: str, o2_ref: float = 10.0) -> F64:
    """What a regulator makes of the analyser's readings: written down here once more, on its own."""
    hot = seen[name] * 101_325 / (101_300 + seen["pressure"]) * (273 + seen["temp"]) / 273
    return hot / (1 - seen["moisture"] / 100) * (21 - o2_ref) / (21 - seen["o2"])


def tail(columns: dict[str, F64]) -> dict[str, F64]:
    return {k.removeprefix("cems-tail."): v for k, v in columns.items() if k.startswith("cems-tail.")}


@pytest.mark.parametrize("seed", [1, 2, 987654321])
def test_degrees_of_the_demo_are_plausible(seed: int) -> None:
    """Every line's four degrees lie where such a line's would."""
    at = lambda name: total(seed, name)  # noqa: E731 - reads better below
    grid = 0.5366e-3
    meal, inputs = at("rm1-meal.raw-meal"), [at(f"rm1-feed.{x}") for x in ("limestone", "sandstone")]
    wastes = [at(f"rm1-feed.{x}") for x in ("fly-ash", "sulfuric-residue")]
    mill = (
        meal / sum(inputs + wastes),
        0.0078 * meal / (at("rm1-power.kwh") * grid),
        sum(wastes) / sum(inputs + wastes),
    )
    clinker, rdf, slag = at("k1-clinker.clinker"), at("k1-rdf.rdf"), at("k1-slag.slag")
    coal, feed = at("k1-coal.kiln") + at("k1-coal.calciner"), at("k1-feed.feed")
    co2 = 0.525 * clinker + coal * 25.8 * 0.0946 + rdf * 18 * 0.075 * 0.6 + at("k1-power.kwh") * grid
    kiln = (1.525 * clinker / (feed + slag), 0.709 * clinker / co2, (slag + rdf) / (feed + slag + rdf))
    steel, scrap = at("eaf1-caster.steel"), at("eaf1-charge.scrap")
    charge = scrap + at("eaf1-charge.hot-metal") + at("eaf1-charge.lime")
    arc = (1.05 * steel / charge, 0.215 * steel / (0.06 * steel + at("eaf1-main.kwh") * grid), scrap / charge)
    for gd, lcd, cd in (mill, kiln, arc):
        assert 0.85 < gd < 0.99
        assert 0.8 < lcd < 0.95
        assert 0.05 < cd < 0.6
    for output, people, best in ((meal, 4, 900_000), (clinker, 14, 160_000), (steel, 30, 30_000)):
        assert 0.3 < output * 365 / people / best < 1.2
    assert 2.9 < (coal * 25.8 + rdf * 18) / clinker < 3.3


@pytest.mark.parametrize("seed", [1, 5, 42])
def test_process_is_coherent(seed: int) -> None:
    """Coal falls as RDF rises, power follows the mill, CO falls as O2 rises; the mill stops 10–20 % of the day."""
    seen = day(seed)
    calciner = np.diff(seen["k1-coal.calciner"])
    rdf = (seen["k1-rdf.rdf"][1:] + seen["k1-rdf.rdf"][:-1]) / 2
    calciner, rdf = (x[calciner > 0] for x in (calciner, rdf))  # but for a counter's wrap
    assert np.corrcoef(calciner, rdf)[0, 1] < -0.8
    assert 0 <= rdf.min() < rdf.max() <= 10
    off = seen["rm1-meal.raw-meal"] < 40
    assert 0.1 < off.mean() < 0.2
    gas = tail(seen)
    for name, jump in (("so2", 1.3), ("nh3", 1.5), ("hg", 1.8)):
        clean = normalised(gas, name)
        assert clean[off].mean() > jump * clean[~off].mean()
    assert np.corrcoef(gas["o2"], normalised(gas, "co"))[0, 1] < -0.2


@pytest.mark.parametrize("seed", range(8))
def test_a_normal_day_trips_nothing(seed: int) -> None:
    """Normalised as a regulator does it, the day is nominal: NOx near 42, and every alarm's limit out of reach."""
    gas = tail(day(seed))
    for name, mean, limit in (("nox", 42, 48), ("so2", 19.5, 34), ("pm", 5, 8), ("nh3", 2.7, 7.5)):
        clean = normalised(gas, name)
        assert abs(clean.mean() / mean - 1) < 0.12, name
        assert clean.max() < limit, name


@pytest.mark.parametrize("seed", range(4))
def test_excursion_breaks_the_limit_within_30_s(seed: int) -> None:
    """The rolling minute passes 50 within 30 s of its start; O2 rises and NH3 falls with it; then all is over."""
    model = SimulatedPlant(demo(), seed, [EXCURSION])
    meter = next(m for m in model.meters if m.meter.name == "cems-tail")
    ts = EXCURSION + 1000 * np.arange(-60, 600, dtype=np.int64)
    gas = {k: np.array(v) for k, v in meter.columns(ts, 1000).items()}
    nox = normalised(gas, "nox")
    rolling = np.array([nox[i - 59 : i + 1].mean() for i in range(60, len(ts))])
    assert 0 < int(np.argmax(rolling > 50)) <= 30
    during, before, after = slice(90, 180), slice(0, 60), slice(-60, None)
    assert gas["o2"][during].mean() > gas["o2"][before].mean() + 0.8
    assert normalised(gas, "nh3")[during].mean() < 0.5 * normalised(gas, "nh3")[before].mean()
    assert nox[after].mean() < 47
    assert 3 < (nox[60:240] - 42).sum() / 3600 < 7  # what it adds to an hour: seen, but no breach by itself


def test_state_is_a_function_of_seed_and_time() -> None:
    """Asked for together, singly or in reverse, the readings of a time are the same; another seed's differ."""
    one, two, other = (SimulatedPlant(demo(), s, [EXCURSION]) for s in (7, 7, 8))
    ts = START + 1000 * np.arange(0, 120, 7, dtype=np.int64)
    for a, b, c in zip(one.meters, two.meters, other.meters, strict=True):
        together = a.columns(ts, 1000)
        singly = [b.columns(t[None], 1000) for t in ts[::-1]][::-1]
        for field, column in together.items():
            assert column == [x[field][0] for x in singly]
        assert together != c.columns(ts, 1000)


def test_amounts_add_up_however_finely_they_are_reported() -> None:
    """A minute's amount is the sum of its seconds', to the last digit: nothing is lost between readings."""
    scrap = source(SimulatedPlant(demo(), 3), "eaf1-charge", "scrap")
    ts = START + 1000 * np.arange(1, 3601, dtype=np.int64)
    fine, coarse = scrap.column(ts, 1000), scrap.column(ts[59::60], 60_000)
    assert round(sum(fine), 3) == round(sum(coarse), 3)


def test_counters_wrap_and_rise() -> None:
    """The kiln's kWh counter passes its modulus within a day, and rises less than `rise_max` allows."""
    kwh = source(SimulatedPlant(demo(), 1), "k1-power", "kwh")
    values = np.array(kwh.column(DAY, 60_000))
    steps = np.diff(values)
    assert (steps < 0).sum() in (1, 2)
    assert values.max() < 100_000
    assert steps.max() < 300


def test_any_registry_can_be_simulated(tmp_path: Path) -> None:
    """Products, fuels and meters that no recipe knows still move, within range, in their units."""
    model = SimulatedPlant(parse(ODD, file="odd.toml"), 1)
    columns = {k: np.array(v, float) for k, v in model.meters[0].columns(DAY, 60_000).items()}
    assert 100 <= columns["speed"].min() < columns["speed"].max() <= 300
    assert (columns["widgets"] >= 0).all()
    assert 60 < columns["widgets"].sum() / 24 / 1000 < 140  # 100 t of an unknown product an hour, in kg
    assert (columns["power"] > 0).all()
    gas = np.diff(columns["gas"])
    assert np.where(gas < 0, gas + 10_000, gas).min() > 0
