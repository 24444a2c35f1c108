"""Small plants and exact in-memory sums for the stack tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np

from devices.plant.model import (
    Channel,
    Intake,
    Kind,
    LcdChoice,
    Line,
    Meter,
    Plant,
    Regime,
    Running,
    Site,
    Stack,
)
from devices.readings import Readings
from devices.units import unit
from scoring.stacks import Stacks
from scoring.windows.sums import Seen, SpanSums

MINUTE = 60_000
HOUR = 60 * MINUTE
STEP = Fraction(1, 1_000_000)

CHINA = Regime(
    id="cn",
    o2_ref=Fraction(10),
    base=Fraction(21),
    o2_max=Fraction(20),
    standard_k=Fraction(273),
    molar_litres=Fraction("22.4"),
    minute_valid_ms=30_000,
    hour_valid_ms=45 * MINUTE,
    day_valid_ms=20 * HOUR,
    never_down=False,
    limits={"nox": Fraction(320), "so2": Fraction(35)},
    averages=("1h", "1d"),
    start=None,
    end=None,
    source="test",
)
"""China's frame: 45 minutes make an hour, 20 hours a day."""

PLAIN = replace(CHINA, o2_ref=None)
"""The same without oxygen correction: what goes in comes out."""


def at(text: str) -> int:
    """RFC 3339 → ms."""
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


class FakeSums:
    """Exact sums of level readings, straight from semantics.md §2; nothing is cached, nothing is fast."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.values: list[dict[int, int]] = [{} for _ in plant.channels]
        self.bad: set[tuple[int, int]] = set()
        self.letters: dict[tuple[int, int], str] = {}
        self.spans = 0

    def push(self, readings: Readings) -> None:
        """The last one for a key wins."""
        for c, ts, value in zip(readings.channel.tolist(), readings.ts.tolist(), readings.value.tolist(), strict=True):
            self.values[c][ts] = value

    def span(self, start: int, end: int, _channels: object = None) -> SpanSums:
        """All channels over (start, end]."""
        self.spans += 1
        n = len(self.plant.channels)
        total, covered = [0] * n, [0] * n
        flagged = np.zeros(n, np.int64)
        for c, known in enumerate(self.values):
            times = sorted(known)
            gap = self.plant.channels[c].max_gap_ms
            for ts, after in zip(times, [*times, 1 << 62][1:], strict=True):
                overlap = min(end, after, ts + gap) - max(start, ts)
                if (c, ts) in self.bad:
                    flagged[c] += start < ts <= end
                elif overlap > 0:
                    total[c] += known[ts] * overlap
                    covered[c] += overlap
        return SpanSums(
            start,
            end,
            high=np.array([t >> 32 for t in total], np.int64),
            low=np.array([t & 0xFFFFFFFF for t in total], np.int64),
            covered=np.array(covered, np.int64),
            estimated=np.zeros(n, np.int64),
            flagged=flagged,
        )

    def coverage(self, group: int, start: int, end: int) -> tuple[int, int]:
        """Not asked by stacks."""
        raise AssertionError((group, start, end))

    def readings(self, channel: int, start: int, end: int) -> list[Seen]:
        """Winners in [start, end)."""
        known = sorted(ts for ts in self.values[channel] if start <= ts < end)
        return [
            Seen(ts, self.values[channel][ts], self.letters.get((channel, ts), "N"), (channel, ts) in self.bad)
            for ts in known
        ]

    def last(self, channel: int) -> int | None:
        """Newest reading."""
        return max(self.values[channel], default=None)


def plant(
    channels: Mapping[str, Mapping[str, Any]],
    *,
    regime: Regime | Sequence[Regime] = CHINA,
    timezone: str = "Asia/Shanghai",
    ambient: int | None = 101_300,
    running: bool = False,
    meters: Mapping[str, Sequence[str]] | None = None,
) -> Plant:
    """A plant with one stack, `tail`. `channels`: name → keys of `Channel`, `unit` as text.

    With `running`, line k1 runs while channel `feed` is above 50 t/h. `meters` spreads the channels over meters.
    """
    names = dict(meters or {"cems": list(channels)})
    made: list[Channel] = []
    tables: list[Meter] = []
    for row, (meter, members) in enumerate(names.items()):
        mine = []
        for name in members:
            keys = dict(channels[name])
            every = keys.pop("every_ms", MINUTE)
            made.append(
                Channel(
                    index=len(made),
                    meter=row,
                    name=name,
                    field=name,
                    kind=Kind.LEVEL,
                    unit=unit(keys.pop("unit")),
                    step=STEP,
                    every_ms=every,
                    max_gap_ms=keys.pop("max_gap_ms", every),
                    **keys,
                )
            )
            mine.append(made[-1].index)
        tables.append(Meter(row, meter, None, 0, 0, f"t/{meter}", MINUTE, tuple(mine)))
    feed = Channel(len(made), len(tables), "feed", "feed", Kind.RATE, unit("t/h"), STEP, MINUTE, MINUTE)
    tables.append(Meter(len(tables), "kiln", 0, None, 0, "t/kiln", MINUTE, (feed.index,)))
    line = Line(
        0, "k1", "acme/wuhu/pyro/k1", 0, "pyro", "cement", None, "calendar", LcdChoice(),
        Running(feed.index, 50_000_000) if running else None, Fraction(0), (len(tables) - 1,),
    )  # fmt: skip
    pressure = None if ambient is None else Fraction(ambient)
    stack = Stack(0, "tail", "acme/wuhu/tail", 0, (0,), "cn", pressure, tuple(range(len(names))))
    return Plant(
        version=1,
        intake=Intake("t/{meter}", 72 * HOUR, MINUTE, 15 * MINUTE, history=False),
        windows=("1h",),
        window_ms=(HOUR,),
        sites=(Site(0, "wuhu", "acme", "CN", "anhui", timezone, None),),
        lines=(line,),
        stacks=(stack,),
        meters=tuple(tables),
        channels=(*made, feed),
        scopes=(),
        alarms=(),
        products={},
        fuels={},
        materials={},
        factors={},
        benchmarks={},
        regimes={"cn": (regime,) if isinstance(regime, Regime) else tuple(regime)},
    )


class Rig:
    """A plant, its sums and its stacks, with readings by name."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.sums = FakeSums(plant)
        self.stacks = Stacks(plant, self.sums)
        self.rows = {c.name: c.index for c in plant.channels}

    def push(self, *readings: tuple[str, int, float | str]) -> None:
        """Take readings in: (channel, ts, value in its unit)."""
        batch = Readings.of(
            [self.rows[name] for name, _, _ in readings],
            [ts for _, ts, _ in readings],
            [round(Fraction(str(value)) / STEP) for _, _, value in readings],
        )
        self.sums.push(batch)
        self.stacks.push(batch)

    def fill(self, name: str, start: int, minutes: int, value: float | str) -> None:
        """One reading at the start of each of so many minutes."""
        self.push(*((name, start + m * MINUTE, value) for m in range(minutes)))
