"""A year (or less) of the simulated cement works, with what goes wrong with meters, against the twin."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from devices.plant.model import Kind, Plant
from devices.quantise import quantise
from devices.readings import Readings
from devices.simulator.plant import SimulatedPlant
from scoring.reference.table import Comparison, Twin
from tests.scoring.reference.works import HOUR, MINUTE, Row, Run, batch

START = 1_767_222_000_000  # 2025-12-31T23:00Z, midnight in Berlin
DAY = 24 * HOUR
ROWS, RESTATED = 200, 120
STEP = {"fast": 20 * MINUTE, "laboratory": 2 * HOUR}


def simulated(plant: Plant, days: float, seed: int) -> list[Row]:
    """What the meters read, in order of time, before anything goes wrong."""
    found: list[Row] = []
    for meter in SimulatedPlant(plant, seed).meters:
        every = max(meter.meter.every_ms, STEP["fast"])
        ts = np.arange(START + every, START + int(days * DAY), every, dtype=np.int64)
        for source, column in zip(meter.sources, meter.columns(ts, every).values(), strict=True):
            c = source.channel
            for t, value in zip(ts.tolist(), column, strict=True):
                steps = quantise(repr(value), c.step)
                assert steps is not None
                found.append((c.index, t, steps % c.modulus if c.modulus else steps, 0, ord("N")))
    return found


def spoilt(plant: Plant, found: list[Row], rng: random.Random, beyond: float) -> list[Row]:
    """Corrected and missing readings, spikes, frozen values, flags, and counters that start again, in order of arrival.

    One in fifty comes late within the grace; the share `beyond` by up to two days: each restates what it touches.
    """
    silent: dict[int, int] = {}  # channel -> until when
    shift: dict[int, int] = {}  # counter -> what it stood at when it was replaced
    arriving: list[tuple[int, Row]] = []
    for c, ts, value, rev, letter in sorted(found, key=lambda row: row[1]):
        channel, odd = plant.channels[c], rng.random()
        if odd < 0.0005:
            silent[c] = ts + rng.randrange(30 * HOUR)
        if ts < silent.get(c, 0):
            continue
        if channel.kind is Kind.COUNTER:
            if odd > 0.9999:
                shift[c] = value
            value = (value - shift.get(c, 0)) % (channel.modulus or 1 << 60)
        shown = value * 8 if 0.001 < odd < 0.004 else value
        flag = rng.choice(b"DCM") if 0.004 < odd < 0.01 and plant.meters[channel.meter].stack is not None else letter
        late = rng.randrange(14 * MINUTE) if odd > 0.98 else 0
        if rng.random() < beyond:
            late = rng.randrange(2 * DAY)
        arriving.append((ts + late, (c, ts, shown, rev, flag)))
        if 0.01 < odd < 0.012:
            arriving.append((ts + rng.randrange(10 * MINUTE), (c, ts, value + 1, 1, letter)))
        if 0.012 < odd < 0.02:
            arriving.append((ts + rng.randrange(10 * MINUTE), (c, ts, shown, rev, flag)))  # twice
    return [row for _, row in sorted(arriving)]


def by_and_by(plant: Plant, found: list[Row]) -> Iterator[Readings]:
    """In the order of arrival, about an hour at a time: hours are asked for while they can still be told."""
    for at in range(0, len(found), ROWS):
        yield batch(plant, found[at : at + ROWS])


def compared(plant: Plant, days: float, seed: int, *, beyond: float) -> tuple[Comparison, Run]:
    """The engine over these days against the twin: every hour's end, every block."""
    rng = random.Random(seed)
    found = spoilt(plant, simulated(plant, days, seed), rng, beyond)
    run = Run(plant, moments="scores")
    for ts in range(START + HOUR, START + int(days * DAY) + 1, HOUR):
        run.hours.append(ts)
    for n, readings in enumerate(by_and_by(plant, found)):
        run.push(readings)
        if n % RESTATED == 0:
            run.restate()
    run.finish()
    made = Comparison()
    made.add(Twin(plant, batch(plant, found)), (run.told[k] for k in sorted(run.told, key=lambda k: (k[-1], str(k)))))
    return made, run
