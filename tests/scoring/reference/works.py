"""The works of `works.toml`, random readings of it, and a run of the engine that keeps what was told last."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

from devices.plant import parse
from devices.plant.model import Kind, Plant
from devices.readings import Mark, Readings
from greengauge.replay.past import ReplayPast
from scoring.agenda import Moments
from scoring.engine import Engine
from scoring.restate import MemoryTold
from scoring.restate.restater import Restater
from scoring.restate.told import key
from scoring.results import Changes

MINUTE, HOUR = 60_000, 3_600_000
BASE = 1_767_258_000_000  # 2026-01-01T09:00Z; the factors change with the days after it
Row = tuple[int, int, int, int, int]
"""(channel, ts, value, rev, letter)."""
USUAL = {  # values in steps; counters: the rise of one step
    "feed": (0, 3500), "slag": (0, 200), "coal": (0, 18), "rdf": (0, 70), "dust": (0, 90), "kwh": (0, 300),
    "back": (0, 300), "cao": (6300, 6700), "good": (900, 1010), "water": (0, 90), "ncv": (2200, 2900),
    "mill.clinker": (0, 400), "grinder.clinker": (0, 400), "ash": (0, 90), "cement": (0, 300),
    "nox": (100, 900), "so2": (20, 200), "o2": (60, 212),
    "moisture": (20, 180), "temp": (900, 2200), "pressure": (-900, -100), "flow": (300_000, 700_000),
    "no": (100, 600), "no2": (5, 60), "pm": (10, 200), "calibration": (0, 1),
}  # fmt: skip


TABLES = {
    "mill": ("line.m1", "meter.mill", "meter.mill.channels"),
    "tail": ("stack.tail", "meter.cems", "meter.cems.channels"),
    "main": ("stack.main", "meter.main", "meter.main.channels", "meter.spare", "meter.spare.channels"),
    "cooler": ("stack.cooler", "meter.dust", "meter.dust.channels"),
}
PARTS = ("slag", "coal", "rdf", "dust", "kwh", "back", *TABLES)
"""What small works may do without: channels of the kiln, the mill, stacks."""


@cache
def works(
    *, every: int = 5, zone: str = "Asia/Shanghai", windows: str = '["1min", "1h", "24h", "3d"]',
    boundary: str = "stage", abroad: bool = False, parts: frozenset[str] = frozenset(PARTS),
) -> Plant:  # fmt: skip
    """Read every so many minutes; with the second enterprise `abroad`, and a country of both; of some `PARTS` alone."""
    files = ["works.toml", "abroad.toml"] if abroad else ["works.toml"]
    text = "".join(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in files)
    given = {"EVERY": f"{every}min", "GAP": f"{3 * every}min", "ZONE": zone, "WINDOWS": windows, "BOUNDARY": boundary}
    for name, value in given.items():
        text = text.replace(f"@{name}@", value)
    plant = parse("\n".join(_only(text, parts)), file="works.toml")
    levels = ("line", "site", "country") if abroad else ("line", "site")  # the others repeat the site
    kept = [s for s in plant.scopes if s.level in levels]
    return replace(plant, scopes=tuple(replace(s, index=i) for i, s in enumerate(kept)))


def _only(text: str, parts: frozenset[str]) -> Iterator[str]:
    part_of = {table: part for part, tables in TABLES.items() for table in tables}
    table = ""
    for line in text.splitlines():
        table = line.strip("[]") if line.startswith("[") else table
        channel = line.partition(" ")[0] if table == "meter.kiln.channels" else ""
        part = part_of.get(table, channel)
        if part not in PARTS or part in parts:
            yield line if "mill" in parts else line.replace('["k1", "m1"]', '["k1"]')


def rows(plant: Plant, rng: random.Random, hours: float, *, gap: float = 0.02) -> list[Row]:
    """In order of time: steady, wrapping, spiky, with gaps and flags, some corrections; laboratories now and then.

    The half-hours' stack emits nothing in every third: less than the confidence that is taken off.
    """
    found: list[Row] = []
    for c in (c for c in plant.channels if c.source is None):
        name = f"{plant.meters[c.meter].name}.{c.name}"
        low, high = USUAL.get(name) or USUAL[c.name]
        ts, value, step = BASE, 0, c.every_ms
        if c.name in ("calibration", "dust"):
            step = 50 * MINUTE
        while ts <= BASE + hours * HOUR:
            value = rng.randint(low, high) + (value if c.kind is Kind.COUNTER else 0)
            value %= c.modulus or 1_000_000
            odd = rng.random()
            shown = rng.randrange(4 * abs(high)) if odd < 0.02 else value
            if name.startswith(("main.no", "spare.nox")) and ts // (30 * MINUTE) % 3 == 0:
                shown = 0
            letter = rng.choice(b"DCMF") if odd > 0.97 and plant.meters[c.meter].stack is not None else ord("N")
            found.append((c.index, ts, shown, 0, letter))
            if rng.random() < 0.02:
                found.append((c.index, ts, rng.randint(low, high), rng.randint(1, 2), ord("N")))
            value = 0 if c.kind is Kind.COUNTER and rng.random() < 0.01 else value
            ts += step if rng.random() > gap else rng.randrange(1, 20 * step)
    return sorted(set(found), key=lambda row: row[1])


def late(found: Iterable[Row], rng: random.Random, share: float, by_min: int) -> list[Row]:
    """Some rows later by up to so many minutes, the rest in order."""
    return [r for _, r in sorted((r[1] + rng.randrange(by_min * MINUTE) * (rng.random() < share), r) for r in found)]


def batch(plant: Plant, found: list[Row]) -> Readings:
    """Rows as readings; what is out of its channel's range is marked, as decoding does."""
    c, ts, value, rev, letter = zip(*found, strict=True)
    mark = [int(Mark.OUT_OF_RANGE) * outside(plant, row[0], row[2]) for row in found]
    return Readings.of(c, ts, value, rev=rev, letter=letter, mark=mark)


def outside(plant: Plant, channel: int, value: int) -> bool:
    """Whether a value is out of its channel's range."""
    c = plant.channels[channel]
    return (c.low is not None and value < c.low) or (c.high is not None and value > c.high)


class Run:
    """An engine and what it told last of every key."""

    def __init__(self, plant: Plant, *, moments: Moments | None = None) -> None:
        self._options: dict[str, Any] = {"patience_ms": 0, "steps": moments is None, "moments": moments}
        self.plant, self.engine = plant, Engine(plant, **self._options)
        self.told: dict[tuple[Any, ...], Any] = {}
        self.hours: list[int] = []  # moments to ask for, ascending
        self.past, self._known = ReplayPast(), MemoryTold()
        self.restated = 0

    def push(self, readings: Readings) -> None:
        """One batch."""
        self.past.add(readings)
        self.engine.push(readings)
        while self.hours and self.hours[0] <= self.engine.clock:
            self.engine.ask(self.hours.pop(0))
        self._keep(self.engine.advance())

    def restate(self) -> None:
        """Read the past for what is pending."""
        while pending := self.engine.pending():
            job = Restater(self.engine, pending[0], self.past)
            while not job.done:
                self._keep(job.step())
            self._keep(self.engine.advance())

    def snapshot(self) -> None:
        """Go on from a snapshot."""
        self.engine = Engine.restore(self.plant, self.engine.snapshot(), **self._options)

    def finish(self) -> Run:
        """The end: everything final."""
        self.restate()
        self._keep(self.engine.finish())
        self.restate()
        return self

    def _keep(self, changes: Changes) -> None:
        new = self._known.settle(changes)
        for thing in (*new.scores, *new.energies, *new.emissions):
            if thing.lifecycle != "live":
                self.told[(type(thing).__name__, *key(thing), thing.ts)] = thing
                self.restated += thing.revision > 0


def cut(plant: Plant, found: list[Row], sizes: Sequence[int], snapshots: Collection[int]) -> Run:
    """Push all rows in batches of these sizes, over and over; go on from a snapshot after some of the batches."""
    made, at = Run(plant), 0
    for n, size in enumerate(cycle(sizes)):
        made.push(batch(plant, found[at : at + size]))
        if n in snapshots:
            made.snapshot()
        if (at := at + size) >= len(found):
            return made.finish()
    return made


def run(plant: Plant, found: list[Row], size: int, *, snapshot_every: int = 0) -> Run:
    """Push all rows in batches of so many."""
    made = Run(plant)
    for n, at in enumerate(range(0, len(found), size)):
        made.push(batch(plant, found[at : at + size]))
        if n % 5 == 4:
            made.restate()
        if snapshot_every and n % snapshot_every == 0:
            made.snapshot()
    return made.finish()
