"""A plant with every kind of channel and a stack, random readings of it, and runs that keep what was last told."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devices.plant import parse
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.engine import Engine
from scoring.restate import MemoryTold
from scoring.restate.restater import Restater
from scoring.restate.told import key, shown
from scoring.results import Changes

MIN = 60_000
HOUR = 60 * MIN
BASE = 1_767_225_600_000  # 2026-01-01T00:00Z
Row = tuple[int, int, int, int]  # channel, ts, value, rev

WORKS = """
schema = 1
profiles = ["cement"]
[intake]
topic = "plant/{{enterprise}}/{{site}}/{{area}}/{{line}}/{{meter}}"
grace = "15min"
{intake}
[scoring]
windows = {windows}
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[line.k1]
site = "wuhu"
area = "pyro"
industry = "cement"
people = 14
lcd = {{ basis = "gross", power = true }}
running = {{ channel = "kiln.feed", above = 10 }}
[line.m1]
site = "wuhu"
area = "mill"
industry = "cement"
people = 6
lcd = {{ basis = "gross", power = true }}
[meter.kiln]
line = "k1"
every = "{every}"
[meter.kiln.channels]
feed = {{ unit = "t/h", kind = "rate", step = "1", max_gap = "{gap}", counts = "material:raw-meal" }}
clinker = {{ unit = "t/h", kind = "derived", of = "feed", times = 0.6, delay = "{delay}", counts = "product:clinker" }}
[meter.kiln.channels.coal]
unit = "t"
kind = "counter"
step = "0.1"
modulus = "100"
rise_max = "{coal}"
max_gap = "{gap}"
counts = "fuel:coal"
[meter.kiln.channels.kwh]
unit = "kWh"
kind = "counter"
step = "1"
rise_max = "{kwh}"
counts = "electricity"
[meter.mill]
line = "m1"
every = "{every}"
[meter.mill.channels]
cement = {{ unit = "t", kind = "amount", period = "{every}", step = "1", counts = "product:cement" }}
clinker = {{ unit = "t", kind = "amount", step = "1", counts = "material:clinker" }}
[product.cement]
unit = "t"
best_peer = "8000 t/person-year"
theoretical = "1 t/t"
[fuel.coal]
ncv = "20 GJ/t"
ef = "95 kg/GJ"
[stack.tail]
lines = ["k1"]
regime = "cn-cement-ultra-low"
ambient = "101300 Pa"
[meter.cems]
stack = "tail"
every = "{every}"
[meter.cems.channels]
nox = {{ unit = "mg/m3", kind = "level", water = "dry", state = "standard", step = "1", max_gap = "{gap}" }}
o2 = {{ unit = "%", kind = "level", water = "dry", step = "0.1", max_gap = "{gap}" }}
"""
CHANNELS = ("kiln.feed", "kiln.coal", "kiln.kwh", "mill.cement", "mill.clinker", "cems.nox", "cems.o2")
MOST = (40, 100, 60, 9, 9, 90, 205)  # values from 0 to that


def works(*, history: bool = True, every: int = 5, windows: str = '["1min", "1h", "24h", "3d"]') -> Plant:
    """Read every so many minutes."""
    return parse(
        WORKS.format(
            every=f"{every}min", gap=f"{3 * every}min", delay=f"{4 * every}min", windows=windows,
            coal=f"{12 / every:g}/min", kwh=f"{30 / every:g}/min", intake="history = true" if history else "",
        )
    )  # fmt: skip


def rows(plant: Plant, rng: random.Random, minutes: int, step: int, *, gap: float = 0.02) -> list[Row]:
    """In order of time: steady, wrapping, spiky, with gaps of up to two hours, some corrections."""
    found: list[Row] = []
    for name, most in zip(CHANNELS, MOST, strict=True):
        meter, channel = name.split(".")
        c, ts, value = plant.channel(meter, channel).index, BASE, 0
        while True:
            ts += step * MIN if rng.random() > gap else rng.randrange(20 * step * MIN)
            if ts > BASE + minutes * MIN:
                break
            value = (value + rng.randrange(9)) % 1000 if channel in ("coal", "kwh") else rng.randrange(most)
            shown_ = value if rng.random() > 0.03 else rng.randrange(most)
            found.append((c, ts, shown_, 0))
            if rng.random() < 0.03:
                found.append((c, ts, rng.randrange(most), 1))
    return sorted(found, key=lambda row: row[1])


def late(found: list[Row], rng: random.Random, share: float, by_min: int) -> list[Row]:
    """Some rows later by up to so many minutes, the rest in order."""
    lag = {id(row): rng.randrange(by_min * MIN) if rng.random() < share else 0 for row in found}
    return sorted(found, key=lambda row: row[1] + lag[id(row)])


def batch(found: list[Row]) -> Readings:
    """Rows as readings."""
    c, ts, value, rev = zip(*found, strict=True)
    return Readings.of(c, ts, value, rev=rev)


class MemoryPast:
    """All readings so far, as the past."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def read(self, start: int, end: int) -> Iterator[Readings]:
        """By the hour."""
        found = sorted((row for row in self.rows if start < row[1] <= end), key=lambda row: row[1])
        hours = sorted({-(-row[1] // HOUR) for row in found})
        for hour in hours:
            yield batch([row for row in found if -(-row[1] // HOUR) == hour])


@dataclass
class Run:
    """What an engine told last of each key."""

    engine: Engine
    told: dict[tuple[Any, ...], tuple[Any, ...]]
    revisions: dict[tuple[Any, ...], int]
    restaters: int


def run(plant: Plant, found: list[Row], size: int, *, snapshot_every: int = 0) -> Run:
    """Push all rows, restate what is pending every few batches, finish."""
    engine, past, told = Engine(plant, patience_ms=0), MemoryPast(), MemoryTold()
    made = Run(engine, {}, {}, 0)

    def keep(changes: Changes) -> None:
        new = told.settle(changes)
        for thing in (*new.scores, *new.emissions):
            if thing.lifecycle != "live":
                at = (*key(thing), thing.ts)
                made.told[at], made.revisions[at] = shown(thing), thing.revision

    def restate() -> None:
        while pending := engine.pending():
            made.restaters += 1
            job = Restater(engine, pending[0], past)
            while not job.done:
                keep(job.step(0.0))
            keep(engine.advance())

    for n, at in enumerate(range(0, len(found), size)):
        past.rows += found[at : at + size]
        engine.push(batch(found[at : at + size]))
        keep(engine.advance())
        if n % 5 == 4:
            restate()
        if snapshot_every and n % snapshot_every == 0:
            engine = Engine.restore(plant, engine.snapshot(), patience_ms=0)
    restate()
    keep(engine.finish())
    restate()
    made.engine = engine
    return made
