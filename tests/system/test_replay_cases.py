"""Issue 3's end 7, from outside: the cases of semantics §6 and the examples of domain §7 through `greengauge replay`.

Registries and readings are written as a user would from contracts.md; nothing of ours is looked into.
"""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from devices.plant import load
from devices.readings_file import read
from greengauge import cli
from greengauge.replay.replay import replay

MIN = 60_000
T = 1_767_225_600_000  # 2026-01-01T00:00Z, a whole hour in UTC
Row = tuple[Any, ...]  # ts, meter, channel, value text[, received, rev, q]
COLUMNS = ("ts", "meter", "channel", "value", "received", "rev", "q")
PLACE = """
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k]
site = "works"
area = "hall"
"""


class Bench:
    """A folder, and the command run in it: in this process, because starting one costs a second."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def command(self, *words: object, code: int = 0) -> str:
        self._monkeypatch.setattr(sys, "argv", ["greengauge", *map(str, words)])
        left = 0
        try:
            cli.main()
        except SystemExit as end:
            left = int(end.code or 0)
        out, err = self._capsys.readouterr()
        assert left == code, (left, out[-2000:], err)
        assert "Traceback" not in err
        return out if code == 0 else out + err

    def registry(self, text: str, name: str = "plant.toml") -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def text(self, registry: str, rows: Iterable[Row], *flags: str, how: str = "csv") -> str:
        file = write(self.folder / "readings", list(rows), how)
        return self.command("replay", self.registry(registry), file, "--json", *flags)

    def replay(self, registry: str, rows: Iterable[Row], *flags: str, how: str = "csv") -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text(registry, rows, *flags, how=how).splitlines()]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Bench:
    return Bench(tmp_path, monkeypatch, capsys)


def write(stem: Path, rows: list[Row], how: str) -> Path:
    """The rows as a file of that kind; values stand there as they were written."""
    width = max(map(len, rows))
    if how.startswith("csv"):
        lines = [",".join(COLUMNS[:width]), *(",".join(map(str, row)) + "," * (width - len(row)) for row in rows)]
    else:
        named = [{k: v for k, v in zip(COLUMNS, row, strict=False) if v != ""} for row in rows]
        lines = ["{" + ", ".join(f'"{k}": {_json(k, v)}' for k, v in reversed(row.items())) + "}" for row in named]
    text = ("\n".join(lines) + "\n").encode()
    path = stem.with_suffix(f".{how}")
    path.write_bytes(gzip.compress(text) if how.endswith(".gz") else text)
    return path


def _json(key: str, value: object) -> str:
    return json.dumps(value) if key in ("meter", "channel", "q") else str(value)


def timed(meter: str, channel: str, text: str, start: int = T) -> list[Row]:
    """`0:340, 4:350` are minutes and values."""
    pairs = [part.split(":") for part in text.split(", ")]
    return [(start + int(minute) * MIN, meter, channel, value) for minute, value in pairs]


def one(things: Iterable[dict[str, Any]], **wanted: object) -> dict[str, Any]:
    """The last thing that has all these: later ones replace earlier ones."""
    found = [thing for thing in things if all(thing.get(key) == value for key, value in wanted.items())]
    assert found, wanted
    return found[-1]


# --- sums: cases 1, 2, 3, example 11 --------------------------------------------------------------

KWH = '{ unit = "kWh", kind = "counter", modulus = "10000", rise_max = "50/min", max_gap = "30min" }'
JUMPY = '{ kind = "counter", rise_max = "100/min", unit = "kWh", step = "1" }'
FEED = '{ unit = "t/h", kind = "rate", max_gap = "5min", step = "0.001" }'
EARLY = "0:9700, 10:9900, 30:100, 40:250"
SUMS = {
    "1": (KWH, EARLY, 40, "40min", "550", 1.0),
    "1, (10, 20]": (KWH, EARLY, 20, "10min", "100", 1.0),
    "1, late reading": (KWH, EARLY + ", 20:9980", 40, "40min", "550", 1.0),
    "1, late reading, (10, 20]": (KWH, EARLY + ", 20:9980", 20, "10min", "80", 1.0),
    "2, a spike": (JUMPY, "0:500, 1:0, 2:520, 3:540", 10, "10min", "40", 0.3),
    "2, a reset": (JUMPY, "0:500, 1:0, 2:20, 3:40", 10, "10min", "40", 0.3),
    "3": (FEED, "0:340, 4:350, 20:300, 22:0", 30, "30min", "61.833333333", 16 / 30),
    "3, late reading": (FEED, "0:340, 4:350, 20:300, 22:0, 8:360", 30, "30min", "86.000000000", 20 / 30),
    "example 11": (KWH, "0:9900, 20:100", 20, "40min", "200", 0.5),
    "no binary fractions": ('{ unit = "t", kind = "amount" }', "1:0.1, 2:0.2, 3:0.3", 10, "10min", "0.6", 0.0),
}


@pytest.mark.parametrize("case", SUMS)
@pytest.mark.parametrize("how", ["csv", "ndjson"])
def test_sums(bench: Bench, case: str, how: str) -> None:
    """Each sum is that decimal text, with that share of the window covered."""
    channel, readings, minute, window, total, covered = SUMS[case]
    meter = f'[meter.m1]\nline = "k"\nevery = "1min"\n[meter.m1.channels]\nx = {channel}\n'
    registry = f'{PLACE}{meter}[scoring]\nwindows = ["10min", "30min", "40min"]\n'
    if how == "ndjson":  # the same in another order, another zone, with profiles
        place = PLACE.replace("UTC", "America/St_Johns")
        registry = f'profiles = ["cement"]\n[scoring]\nwindows = ["40min", "30min", "10min"]\n{meter}{place}'
    things = bench.replay(registry, timed("m1", "x", readings), "--sums", "--every", "10min", how=how)
    found = one(things, ts=T + minute * MIN, meter="m1", channel="x", window=window)
    assert (found["sum"], found["covered"]) == (total, pytest.approx(covered, abs=1e-12))
    assert found["unit"] in ("kWh", "t")
    assert {thing["ts"] % (10 * MIN) for thing in things} == {0}


# --- case 4: factor periods in local dates ---------------------------------------------------------

GRID = """
[[factor]]
id = "grid"
value = 0.5366
unit = "kg CO2/kWh"
from = 2025-01-01
[[factor]]
from = 2026-01-01
id = "grid"
value = 530.6
unit = "kg/MWh"
"""
POWER = """
[meter.main]
line = "k"
every = "1h"
[meter.main.channels]
energy = { unit = "kWh", kind = "counter", counts = "electricity", max_gap = "2h" }
"""
WITH_BENCHMARK = """lcd = { power = true, benchmark = "own", basis = "gross" }
[product.steel]
[[benchmark]]
id = "own"
product = "steel"
value = 0.2
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
"""


@pytest.mark.parametrize("lcd", ["", "lcd = { power = true }\n", WITH_BENCHMARK])
@pytest.mark.parametrize(("zone", "tonnes"), [("Asia/Shanghai", 1.6008), ("UTC", 1.6098)])
def test_case_4(bench: Bench, lcd: str, zone: str, tonnes: float) -> None:
    """The year's factor changes at the site's midnight, not at UTC's; without output the sums stay."""
    site = PLACE.replace("UTC", zone).replace("[line", 'country = "CN"\nelectricity = "grid"\n[line')
    rows = [(1_767_195_000_000, "main", "energy", "1000"), (1_767_198_600_000, "main", "energy", "4000")]
    things = bench.replay(site + lcd + GRID + POWER, rows)
    for scope in ("line:acme/works/hall/k", "site:acme/works", "enterprise:acme", "country:CN"):
        found = one(things, scope=scope, degree="lcd", window="24h")
        assert (found["value"], found["denominator"]) == (None, pytest.approx(tonnes, abs=1e-12))
        assert found["reason"]


# --- cases 5 and 9, example 9, domain §1: degrees --------------------------------------------------


def line(name: str, site: str, benchmark: str, **channels: str) -> str:
    """A line with one meter of instant amounts in t."""
    rows = "".join(f'{c} = {{ unit = "t", kind = "amount", counts = "{what}" }}\n' for c, what in channels.items())
    head = f'[line.{name}]\nsite = "{site}"\narea = "a"\nlcd = {{ benchmark = "{benchmark}" }}\n'
    return f'{head}[meter.{name}-m]\nline = "{name}"\nevery = "1min"\n[meter.{name}-m.channels]\n{rows}'


def benchmark(name: str, product: str, value: float, boundary: str) -> str:
    return (
        f'[[benchmark]]\nid = "{name}"\nproduct = "{product}"\nvalue = {value}\nunit = "t CO2/t"\nbasis = "gross"\n'
        f'power = false\nboundary = "{boundary}"\nfrom = 2021-01-01\n'
    )


def sites(**zones: str) -> str:
    return "".join(f'[site.{s}]\nenterprise = "corp"\ntimezone = "{zone}"\n' for s, zone in zones.items())


@pytest.mark.parametrize("declared", ["", '[product.grey]\nunit = "t"\n[product.white]\n'])
@pytest.mark.parametrize("unit", ["t CO2/t", "kg CO2/t"])
def test_case_5(bench: Bench, declared: str, unit: str) -> None:
    """Stage benchmarks with measured CO2 add up to site and enterprise, idle lines and two products included."""
    made = [("A", "a1", "grey", 100, 80), ("A", "a2", "grey", 300, 210), ("A", "a3", "grey", 0, 5)]
    made.append(("B", "b1", "white", 50, 52))
    text = sites(A="Europe/Berlin", B="Asia/Kolkata") + declared
    rows: list[Row] = []
    for site, name, product, out, co2 in made:
        text += line(name, site, f"bm-{product}", out=f"product:{product}", measured="co2")
        rows += [(T + 5 * MIN, f"{name}-m", "measured", co2), (T + 7 * MIN, f"{name}-m", "out", out)]
    values = (("grey", 0.693), ("white", 0.957))
    text += "".join(benchmark(f"bm-{p}", p, v * (1000 if "kg" in unit else 1), "stage") for p, v in values)
    text = text.replace('"t CO2/t"', f'"{unit}"')
    things = bench.replay(text, rows, how="csv" if declared else "ndjson")
    for scope, value in (("site:corp/A", 0.939661), ("site:corp/B", 0.920192), ("enterprise:corp", 0.936744)):
        found = one(things, scope=scope, degree="lcd", window="1h")
        assert found["value"] == pytest.approx(value, abs=5e-7)
        assert found["value"] == found["numerator"] / found["denominator"]
    idle = one(things, scope="line:corp/A/a/a3", degree="lcd", window="1h")
    assert (idle["value"], idle["operation"], idle["denominator"]) == (None, "idle", 5.0)
    assert one(things, scope="area:corp/A/a", degree="lcd", window="24h")["output"] == 400.0


CHAINS = benchmark("c1", "clinker", 0.722, "chain") + benchmark("c2", "cement", 0.469, "chain")


@pytest.mark.parametrize("profiles", ["", 'profiles = ["cement"]\n'])
def test_case_9(bench: Bench, profiles: str) -> None:
    """What the own mill consumes is netted: the site is judged by its cement alone, never by both products."""
    kiln = line("kiln", "s", "c1", clinker="product:clinker", co2="co2")
    mill = line("mill", "s", "c2", cement="product:cement", co2="co2", clinker="material:clinker")
    rows = [(T + 60_000, "kiln-m", "clinker", 90), (T + 60_000, "kiln-m", "co2", 70), (T + 90_000, "mill-m", "co2", 3)]
    rows += [(T + 90_000, "mill-m", "clinker", 90), (T + 90_000, "mill-m", "cement", "120.0")]
    things = bench.replay(profiles + CHAINS + mill + sites(s="Europe/Madrid") + kiln, rows)
    for scope in ("site:corp/s", "enterprise:corp"):
        found = one(things, scope=scope, degree="lcd", window="1h")
        assert found["value"] == pytest.approx(0.770959, abs=5e-7)
        assert (found["numerator"], found["denominator"]) == (pytest.approx(56.28), pytest.approx(73.0))
    alone = one(things, scope="line:corp/s/a/mill", degree="lcd", window="1h")
    assert alone["value"] is None
    assert "clinker" in alone["reason"]


@pytest.mark.parametrize(
    ("basis", "power", "tonnes"),
    [("gross", "false", 166.36428), ("net", "false", 161.50428), ("gross", "true", 171.99858)],
)
def test_example_9(bench: Bench, basis: str, power: str, tonnes: float) -> None:
    """One hour of a kiln: process, fossil part of the fuels, electricity where the benchmark counts it."""
    text = line("kiln", "s", "bm", clinker="product:clinker", coal="fuel:coal", rdf="fuel:mix")
    text += 'kwh = { unit = "MWh", kind = "amount", counts = "electricity" }\n[product.clinker]\n'
    text += 'process = "525 kg CO2/t"\n[fuel.coal]\nef = "94.6 kg/GJ"\nncv = "25.8 GJ/t"\n[fuel.mix]\n'
    text += 'ncv = "18 GJ/t"\nef = "75 kg/GJ"\nbiogenic = 0.4\n'
    text += sites(s="Asia/Shanghai") + 'electricity = "grid"\n' + GRID.replace("530.6", "536.6")
    text += benchmark("bm", "clinker", 0.693, "stage").replace('"gross"', f'"{basis}"').replace("false", power)
    made = {"clinker": "210", "coal": "21", "rdf": "6", "kwh": "10.5"}
    things = bench.replay(text, [(T + 9 * MIN, "kiln-m", c, v) for c, v in made.items()], "--final")
    found = one(things, scope="line:corp/s/a/kiln", degree="lcd", window="1h")
    assert (found["denominator"], found["output"]) == (pytest.approx(tonnes, abs=1e-9), 210.0)
    assert found["value"] == pytest.approx(145.53 / tonnes, abs=1e-9)
    assert found["basis"].startswith(basis)
    per_tonne = {"gross": 0.792211, "net": 0.769068}
    for key, value in per_tonne.items():
        assert found["detail"][f"co2_{key}_per_t"] == pytest.approx(value, abs=5e-7)
    with_power = found["detail"]["co2_gross_per_t"] + found["detail"]["co2_power_per_t"]
    assert with_power == pytest.approx(0.819041, abs=5e-7)
    assert found["detail"]["co2_biogenic"] == pytest.approx(3.24)
    assert found["detail"]["heat_per_t"] == pytest.approx(3094.2857, abs=1e-4)


RUNS = """
people = 10
min_output = "1 t/h"
running = { channel = "m.feed", above = 50 }
[meter.m]
line = "k"
every = "1min"
[meter.m.channels]
feed = { unit = "t/h", kind = "rate", counts = "material:meal" }
slag = { unit = "t/h", kind = "rate", counts = "material:slag", waste = true }
out = { unit = "t/h", kind = "rate", counts = "product:clinker" }
[product.clinker]
theoretical = "1.5 t/t"
best_peer = "12000 t/person-year"
[scoring]
windows = ["1h", "24h"]
"""


@pytest.mark.parametrize(("rate", "idle"), [("60", False), ("0.5", True)])
def test_completeness_and_idle(bench: Bench, rate: str, idle: bool) -> None:
    """Of the 30 minutes that the line ran, slag was silent for 8; idle below min_output."""
    rows: list[Row] = []
    for i in range(61):
        on = i < 30
        rows += [(T + i * MIN, "m", "feed", 100 * on), (T + i * MIN, "m", "out", rate if on else 0)]
        rows += [] if 10 <= i < 20 else [(T + i * MIN, "m", "slag", 20)]
    things = bench.replay(PLACE + RUNS, rows, "--final")
    scope = {"scope": "line:acme/works/hall/k", "ts": T + 60 * MIN}
    gd, cd = one(things, degree="gd", window="1h", **scope), one(things, degree="cd", window="1h", **scope)
    assert gd["completeness"] == cd["completeness"] == pytest.approx(22 / 30)
    assert cd["numerator"] == pytest.approx(52 / 3)
    assert gd["denominator"] == cd["denominator"] == pytest.approx(50 + 52 / 3)
    sd = one(things, degree="sd", window="24h", **scope)
    assert one(things, degree="sd", window="1h", **scope)["value"] is None
    assert sd["denominator"] == 240.0
    if idle:
        assert (gd["value"], gd["operation"]) == (None, "idle")
    else:
        assert gd["value"] == pytest.approx(45 / (50 + 52 / 3))
        assert sd["value"] == pytest.approx(30 * 8760 / 12000 / 240)


def test_main_meter_or_its_children(bench: Bench) -> None:
    """A sub-meter's electricity is inside its main meter's; of a scope each tonne counts once."""
    meters = "".join(
        f'[meter.{m}]\nline = "k"\nevery = "1min"\n{above}[meter.{m}.channels]\n'
        'kwh = { unit = "kWh", kind = "amount", counts = "electricity" }\n'
        for m, above in (("main", ""), ("part", 'parent = "main"\n'))
    )
    site = PLACE.replace("[line", 'electricity = "grid"\n[line')
    things = bench.replay(site + GRID + meters, [(T, "main", "kwh", 1000), (T, "part", "kwh", 400)])
    found = one(things, scope="site:acme/works", degree="lcd", window="1h")
    assert found["denominator"] == pytest.approx(0.5366)  # T ends (T - 1 h, T], so the old year's factor


# --- stacks: cases 7 and 8, examples 1, 2, 4, 5 ----------------------------------------------------

DRY = 'kind = "level", water = "dry"'
MG = f'{{ unit = "mg/m3", state = "standard", {DRY} }}'
PPM = f'{{ unit = "ppm", {DRY} }}'
O2 = f'{{ unit = "%", {DRY} }}'


def stack(channels: dict[str, str], regime: str, *, ambient: str = "", zone: str = "UTC") -> str:
    rows = "".join(f"{name} = {channel}\n" for name, channel in channels.items())
    return (
        f'{PLACE.replace("UTC", zone)}[stack.tall]\nlines = ["k"]\nregime = "mine"\n{ambient}\n'
        f'[regime.mine]\naverages = ["1h"]\n{regime}\n'
        f'[meter.gas]\nstack = "tall"\nevery = "1min"\n[meter.gas.channels]\n{rows}'
    )


WET = '{ unit = "%", kind = "level", water = "wet" }'
PERCENT = '{ unit = "%", kind = "level" }'
CASE_8 = {
    "so2": '{ unit = "ppm", kind = "level", water = "wet" }',
    "o2": WET,
    "temp": '{ unit = "degC", kind = "level" }',
    "pressure": '{ unit = "kPa", kind = "level" }',
    "moisture": PERCENT,
}
CASE_8_IS = {"so2": 86, "o2": 10, "temp": 120, "pressure": 100, "moisture": 12}
HOT = {
    "so2": f'{{ unit = "mg/m3", state = "hot", {DRY} }}',
    "temp": '{ unit = "degC", kind = "level" }',
    "pressure": '{ unit = "Pa", kind = "level", gauge = true }',
}
HOT_IS = {"so2": 1000, "temp": "93.4", "pressure": -800}
EXAMPLE_1 = {"so2": 86, "nox": 98, "o2": "13.5"}
TWO = {"so2": PPM, "nox": PPM, "o2": O2}
STACKS: dict[str, tuple[dict[str, str], str, dict[str, Any], dict[str, float]]] = {
    "case 8, dry": (CASE_8, "limits = { so2 = 300 }", CASE_8_IS, {"so2": 279.4825}),
    "case 8": (CASE_8, "o2_ref = 10\nbase = 21\nlimits = { so2 = 300 }", CASE_8_IS, {"so2": 319.0320}),
    "1, no reference": (TWO, "limits = { so2 = 100, nox = 100 }", EXAMPLE_1, {"so2": 245.9446, "nox": 201.2719}),
    "1, to 6 %": (TWO, "o2_ref = 6\nlimits = { nox = 1, so2 = 1 }", EXAMPLE_1, {"so2": 491.8893, "nox": 402.54375}),
    "1, to 10 %": (TWO, "o2_ref = 10\nlimits = { nox = 1 }", EXAMPLE_1, {"nox": 295.1988}),
    "1, NO and NO2 apart": (
        {"so2": PPM, "no": PPM, "no2": PPM, "o2": O2},
        "o2_ref = 10\nlimits = { nox = 50 }",
        {"so2": 86, "no": 92, "no2": 6, "o2": 13.5},
        {"nox": 295.1988},
    ),
    "2, 273": (HOT, 'standard = "273 K"\nlimits = { so2 = 35 }', HOT_IS, {"so2": 1353.142}),
    "2, 273.15": (HOT, 'standard = "273.15 K"\nlimits = { so2 = 35 }', HOT_IS, {"so2": 1352.9526}),
    "4, base 21": (
        {"nox": MG, "o2": O2},
        "o2_ref = 10\nlimits = { nox = 320 }",
        {"nox": 280, "o2": 13},
        {"nox": 385.0},
    ),
    "4, base 20.9": (
        {"o2": O2, "nox": MG},
        "base = 20.9\no2_ref = 10\nlimits = { nox = 320 }",
        {"nox": 280, "o2": 13},
        {"nox": 386.329},
    ),
    "5": (
        {"nox": MG, "o2": WET, "moisture": PERCENT},
        "o2_ref = 10\nlimits = { nox = 320 }",
        {"nox": 100, "o2": 10, "moisture": 12},
        {"nox": 1100 / (21 - 11.36364)},
    ),
}


@pytest.mark.parametrize("case", STACKS)
def test_normalised(bench: Bench, case: str) -> None:
    """A steady hour's mean is the normalised concentration; the hour is closed, valid and judged by its limit."""
    channels, regime, values, expected = STACKS[case]
    ambient = 'ambient = "101300 Pa"' if "pressure" in channels else ""
    rows = [(T + i * MIN, "gas", name, value) for i in range(60) for name, value in values.items()]
    things = bench.replay(stack(channels, regime, ambient=ambient), rows, "--final")
    for pollutant, value in expected.items():
        found = one(things, scope="stack:acme/works/tall", pollutant=pollutant, average="1h", ts=T)
        assert found["value"] == pytest.approx(value, rel=1e-6)
        assert (found["valid"], found["valid_minutes"], found["lifecycle"]) == (True, 60, "final")
        assert found["headroom"] == pytest.approx(found["limit"] - found["value"], abs=1e-6)
    assert [thing for thing in things if thing["lifecycle"] != "final"] == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
@pytest.mark.parametrize(("level", "allowed", "minute"), [(350, 260.0, 54.857), (250, 460.0, None)])
def test_case_7(bench: Bench, zone: str, level: int, allowed: float, minute: float | None) -> None:
    """After 40 minutes: what the rest of the legal hour may average, and when its breach is sure."""
    hour = T - 30 * MIN if zone == "Asia/Kolkata" else T  # the hour in which New Delhi's clock shows :00 is UTC's :30
    regime = 'hour_valid = "45min"\nlimits = { nox = 320 }'
    rows = [(hour + i * MIN, "gas", "nox", level) for i in range(41)]
    things = bench.replay(stack({"nox": MG}, regime, zone=zone), rows, "--every", "10min")
    hours = [t for t in things if t.get("average") == "1h" and t["ts"] == hour and t["lifecycle"] == "live"]
    assert [t["valid_minutes"] for t in hours] == [10, 20, 30, 40]
    found = hours[-1]
    assert found["allowed_mean"] == pytest.approx(allowed)
    if minute is None:
        assert found["unavoidable_at"] is None
    else:
        assert (found["unavoidable_at"] - hour) / MIN == pytest.approx(minute, abs=5e-4)


def test_a_legal_day_with_a_missing_hour(bench: Bench) -> None:
    """The day on which Berlin's clocks go forward has 23 hours; the regime's own name of its average is echoed."""
    midnight = 1_774_738_800_000  # 2026-03-28T23:00Z
    regime = "limits = { nox = 320 }"
    text = (
        stack({"nox": MG}, regime, zone="Europe/Berlin").replace('["1h"]', '["1h", "24h"]').replace('"1min"', '"5min"')
    )
    rows = [(midnight + i * 5 * MIN, "gas", "nox", 100 + i // 12) for i in range(23 * 12 + 6)]
    things = bench.replay(text, rows, "--final")
    day = one(things, average="24h", ts=midnight)
    assert (day["value"], day["valid"], day["valid_minutes"]) == (111.0, True, 23 * 60)
    assert one(things, average="24h")["ts"] == midnight + 23 * 60 * MIN


# --- what replay prints ----------------------------------------------------------------------------

MIXED = (
    stack({"nox": MG, "o2": O2}, "o2_ref = 10\nlimits = { nox = 320 }")
    + """
[meter.kiln]
line = "k"
every = "20s"
[meter.kiln.channels]
feed = { unit = "t/h", kind = "rate", step = "0.001", counts = "material:meal" }
waste = { unit = "t", kind = "amount", step = "0.01", period = "1min", counts = "material:slag", waste = true }
clinker = { kind = "derived", of = "feed", times = "0.62", delay = "2min", counts = "product:clinker" }
coal = { unit = "t", kind = "counter", rise_max = "10/min", modulus = 1000, counts = "fuel:bituminous" }
[product.clinker]
process = "0.525 t CO2/t"
theoretical = "1.525 t/t"
[fuel.bituminous]
ncv = "25.8 GJ/t"
ef = "94.6 kg/GJ"
[intake]
grace = "3h"
[scoring]
windows = ["1min", "1h", "8h"]
"""
)


def mixed_rows(seed: int) -> list[Row]:
    """Two hours of a line and its stack, with gaps, a wrap, and conflicts that carry distinct `rev`."""
    dice = random.Random(seed)
    rows: list[Row] = []
    coal = 990.0
    for i in range(0, 7200, 20):
        ts = T + i * 1000 + dice.randrange(2000)
        coal = (coal + dice.random()) % 1000
        if dice.random() < 0.9:
            rows.append((ts, "kiln", "feed", round(dice.uniform(300, 350), 3), "", 0))
            rows.append((ts, "kiln", "coal", round(coal, 3), "", 0))
        if dice.random() < 0.1:
            rows.append((ts, "kiln", "feed", round(dice.uniform(300, 350), 3), "", 1 + i))
        if i % 60 == 0:
            rows.append((ts, "kiln", "waste", round(dice.uniform(0, 3), 2), "", 0))
            rows.append((ts, "gas", "nox", round(dice.uniform(200, 400), 2), "", 0))
            rows.append((ts, "gas", "o2", round(dice.uniform(9, 12), 2), "", 0))
    received = max(row[0] for row in rows)
    return [(*row[:4], received, row[5]) for row in rows]


@pytest.mark.parametrize("seed", [1, 2])
def test_final_values_know_no_order(bench: Bench, seed: int) -> None:
    """Shuffled, repeated, in another format: the final output and the sums are the same bytes."""
    rows = mixed_rows(seed)
    dice = random.Random(seed)
    shuffled = rows + dice.sample(rows, 50)
    dice.shuffle(shuffled)
    plain = bench.text(MIXED, rows, "--final")
    assert '"reason": null' in plain
    assert bench.text(MIXED, shuffled, "--final", how="ndjson") == plain
    sums = bench.text(MIXED, rows, "--sums", "--every", "30min")
    assert sums.count("\n") > 20
    assert bench.text(MIXED, shuffled, "--sums", "--every", "30min", how="csv.gz") == sums


def test_final_values_know_no_batches(bench: Bench) -> None:
    """Read in pieces of one row, the file gives what it gives whole."""
    plant = load(bench.registry(MIXED))
    whole = list(read(write(bench.folder / "r", mixed_rows(5), "csv"), plant))
    single = [batch.take(slice(i, i + 1)) for batch in whole for i in range(len(batch))]
    assert list(replay(plant, single, final=True)) == list(replay(plant, whole, final=True))


def test_every_default_and_final(bench: Bench) -> None:
    """`--every`: windows and open blocks at multiples; default: last steps, closed blocks; `--final`: nothing live."""
    rows = [(*row[:4], "", row[5]) for row in mixed_rows(3)]
    default, every, final = (bench.replay(MIXED, rows, *flags) for flags in ((), ("--every", "15min"), ("--final",)))
    last = T + 120 * MIN
    assert {t["ts"] for t in every if t.get("window") == "1h"} >= {T + i * 15 * MIN for i in range(1, 9)}
    assert {t["ts"] for t in every if t.get("average") == "1min"} >= {T + i * 15 * MIN for i in range(1, 9)}
    assert {t["ts"] for t in default if t.get("window") == "8h"} == {last}
    assert {t["lifecycle"] for t in final} == {"final"}
    for things in (default, final):
        assert [t["ts"] for t in things if t.get("average") == "1h"][:2] == [T, T + 60 * MIN]
        assert len({_key(t) for t in things}) == len(things)
    last_of = {_key(t): t["value"] for t in every}
    assert all(last_of[_key(t)] == t["value"] for t in final if _key(t) in last_of)
    feed = one(final, scope="line:acme/works/hall/k", degree="gd", window="1h")
    assert 0.7 < feed["completeness"] <= 1.0
    assert feed["unit"] == "t"


def _key(thing: dict[str, Any]) -> tuple[Any, ...]:
    names = ("degree", "pollutant", "energy", "product", "window", "average")
    return thing["ts"], thing["scope"], *(thing.get(name) for name in names)


SHARED = {"ts", "scope", "level", "value", "unit", "completeness", "quality", "operation", "lifecycle", "revision"}
SHARED |= {"reason", "known_at", "stale", "simulated", "age"}
SCORE = SHARED | {"degree", "window", "numerator", "denominator", "output", "basis"}
EMISSION = SHARED | {"pollutant", "average", "raw", "limit", "headroom", "allowed_mean", "unavoidable_at"}
EMISSION |= {"valid", "valid_minutes"}
ENERGY = SHARED | {"energy", "product", "window", "numerator", "denominator", "output", "basis", "boundary"}
ENERGY |= {"norm", "norm_level", "next", "distance"}
SUM = {"ts", "meter", "channel", "window", "sum", "covered", "unit"}


def test_objects(bench: Bench) -> None:
    """Every score, specific energy, emission and sum has the keys of the contract."""
    rows = mixed_rows(4)
    for thing in bench.replay(MIXED, rows, "--every", "1h", "--energy"):
        keys = SCORE if "degree" in thing else ENERGY if "energy" in thing else EMISSION
        assert keys <= thing.keys()
        assert thing["quality"] in ("good", "uncertain", "bad")
    for thing in bench.replay(MIXED, rows, "--sums"):
        assert thing.keys() >= SUM
        assert 0 <= thing["covered"] <= 1


def test_the_command_itself(tmp_path: Path) -> None:
    """`python -m greengauge replay` in a process of its own, and exit code 2 with one sentence for bad options."""
    registry = Path(__file__).parents[1] / "devices" / "plant.example.toml"
    file = write(tmp_path / "r", timed("eaf1-main", "kwh", "0:999900, 1:100"), "csv")
    command = [sys.executable, "-m", "greengauge", "replay", str(registry), str(file)]
    done = subprocess.run([*command, "--json", "--sums"], capture_output=True, text=True, timeout=60, check=True)
    found = [json.loads(text) for text in done.stdout.splitlines()]
    assert one(found, meter="eaf1-main", channel="kwh", window="1h")["sum"] == "200"


# --- the example registry, check, explain, init ----------------------------------------------------

EXAMPLE = (Path(__file__).parents[1] / "devices" / "plant.example.toml").read_text()


def test_the_example_scores(bench: Bench) -> None:
    """The key names of the example work: waste on a channel, field and topic, gauge, moisture held, derived output."""
    rows: list[Row] = []
    for i in range(61):
        ts = T + i * MIN
        rows += [(ts + s * 1000, "k1-kiln", "feed", 340) for s in range(0, 60, 30)]
        rows += [(ts + s * 1000, "cems1", c, v) for s in range(0, 60, 3) for c, v in _GAS.items()]
        rows += [(ts, "k1-coal", "coal", f"{i * 0.35:.2f}"), (ts, "eaf1-main", "kwh", 1000 * i)]
        rows += [(ts, "eaf1-main", "scrap", "1.05"), (ts, "eaf1-main", "steel", "1.00")]
    things = bench.replay(EXAMPLE, sorted(rows, key=lambda row: row[0]), "--every", "1h")
    k1 = one(things, scope="line:acme/wuhu/pyro/k1", degree="lcd", window="1h", ts=T + 60 * MIN)
    # over (0, 60]: 340 t/h of meal made clinker 30 min later: half an hour of it is in the window
    assert k1["output"] == pytest.approx(340 * 0.62 / 2, rel=1e-6)
    assert k1["denominator"] == pytest.approx(340 * 0.62 / 2 * 0.525 + 21 * 25.8 * 0.0946, rel=1e-6)
    eaf1 = {"scope": "line:acme/wuhu/meltshop/eaf1", "window": "1h", "ts": T + 60 * MIN}
    assert one(things, degree="cd", **eaf1)["value"] == 1.0
    assert one(things, degree="gd", **eaf1)["value"] == pytest.approx(1.0)
    nox = one(things, scope="stack:acme/wuhu/tail", pollutant="nox", average="1h", ts=T)
    hot = 30 * 101325 / (101300 - 500) * (273 + 180) / 273 / (1 - 0.12) * 11 / (21 - 9.8)
    assert (nox["value"], nox["limit"]) == (pytest.approx(hot, rel=1e-5), 50.0)


_GAS = {"nox": 30, "o2": "9.8", "moisture": 12, "temp": 180, "pressure": -500}
TOPIC = "plant/acme/wuhu/pyro/k1/k1-kiln"


def test_check(bench: Bench) -> None:
    """Exit code 0 for the example; 1 with every mistake, its place, cause and mend, for a broken one."""
    good = json.loads(bench.command("check", bench.registry(EXAMPLE), "--json"))
    assert good["ok"]
    assert good["mistakes"] == []
    broken = EXAMPLE.replace('timezone = "Asia', 'timezone = "Asla').replace("people = 14", "peopel = 14")
    bad = json.loads(bench.command("check", bench.registry(broken), "--json", code=1))
    assert {(m["table"], m["key"]) for m in bad["mistakes"]} >= {("site.wuhu", "timezone"), ("line.k1", "peopel")}
    assert all(m["file"] and m["cause"] and m["mend"] for m in bad["mistakes"])
    assert "peopel" in bench.command("check", bench.registry(broken), code=1)
    warned = json.loads(bench.command("check", bench.registry(EXAMPLE.replace("l:raw-meal", "l:raw-mael")), "--json"))
    assert any("raw-mael" in w["table"] and "`raw-meal`" in w["mend"] for w in warned["warnings"])
    assert "fuel" in bench.command("check", bench.registry(EXAMPLE.replace("l:bitum", "l:bit")), code=1)


@pytest.mark.parametrize(
    ("topic", "payload", "outcome"),
    [
        (TOPIC, '{"ts": NOW, "feed": 341.25}', "stored"),
        ("legacy/kiln1/coal", '[{"TOT_1": 12.3, "ts": NOW}, {"ts": NOW, "TOT_1": 12.31, "rev": 1}]', "stored"),
        (f"{TOPIC}/feed", "340", "stored"),
        ("plant/acme/wuhu/stack/tail/cems1", '{"ts": NOW, "nox": 40, "q": "N"}', "stored"),
        (TOPIC, '{"ts": NOW, "feed": "341"}', "quarantined"),
        (TOPIC, '{"ts": NOW, "feed": 341, "meter": "k2"}', "quarantined"),
        ("plant/acme/wuhu/pyro/k1/nobody", '{"ts": NOW, "feed": 1}', "pending"),
        (TOPIC, '{"ts": NOW, "fead": 1}', "pending"),
    ],
)
def test_explain(bench: Bench, topic: str, payload: str, outcome: str) -> None:
    """What would become of a message, with a reason, a place and a mend where it would not be stored."""
    text = payload.replace("NOW", str(time.time_ns() // 1_000_000 - 1000))
    code = 0 if outcome == "stored" else 1
    told = json.loads(bench.command("explain", bench.registry(EXAMPLE), topic, text, "--json", code=code))
    assert told["outcome"] == outcome
    assert {"outcome", "readings", "reason", "where", "mend"} <= told.keys()
    assert bool(told["readings"]) == (outcome == "stored")
    assert all(told[key] for key in ("reason", "where", "mend")) == (outcome != "stored")


def test_init(bench: Bench) -> None:
    """A new registry that `check` accepts; never over a file that is there."""
    path = bench.folder / "new.toml"
    bench.command("init", path)
    bench.command("check", path)
    assert "there already" in bench.command("init", path, code=2)


def _wrong(registry: str, rows: list[Row], *flags: str) -> Callable[[Bench], str]:
    def run(bench: Bench) -> str:
        file = write(bench.folder / "r", rows, "csv")
        return bench.command("replay", bench.registry(registry), file, *flags, code=2)

    return run


@pytest.mark.parametrize(
    "wrong",
    [
        _wrong(EXAMPLE, [(T, "k1-kiln", "food", 1)]),
        _wrong(EXAMPLE, [(T, "k1-kiln", "feed", "many")]),
        _wrong(EXAMPLE, [("yesterday", "k1-kiln", "feed", 1)]),
        _wrong(EXAMPLE, [(T, "k1-kiln", "feed", 1)], "--every", "soon"),
        _wrong(EXAMPLE, [(T, "k1-kiln", "feed", 1)], "--every", "0s"),
        _wrong(EXAMPLE, [(T, "k1-kiln", "feed", 1)], "--every", "1500ms"),
        _wrong(EXAMPLE, [(T, "k1-kiln", "feed", 1)], "--every", "1h", "--final"),
        _wrong(EXAMPLE + "x = 1", [(T, "k1-kiln", "feed", 1)]),
    ],
)
def test_bad_usage(bench: Bench, wrong: Callable[[Bench], str]) -> None:
    """Bad usage and bad configuration: exit code 2 and a sentence, no traceback."""
    assert wrong(bench).startswith("greengauge: ")
