"""The plants that figures are taken on: lines of thirty channels, written as a registry and loaded like any other."""

from __future__ import annotations

import numpy as np

from devices.durations import SECOND
from devices.plant import parse
from devices.plant.model import Kind, Plant
from devices.readings import I64, Readings

CHANNELS = 30
"""Of one line: two products, six materials, two fuels, four counters, and levels that are summed all the same."""

START = 1_767_225_600_000
"""2026-01-01T00:00Z: no factor or benchmark of the plant changes in the year after."""

_HEAD = """
schema = 1
[intake]
grace = "15min"
{intake}
[site.works]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:bench"
[[factor]]
id = "grid:bench"
value = 0.5306
unit = "kg CO2/kWh"
from = 2020-01-01
source = "bench"
[fuel.coal]
ncv = "25.8 GJ/t"
ef = "94.6 kg/GJ"
[fuel.rdf]
ncv = "15 GJ/t"
ef = "80 kg/GJ"
biogenic = 0.4
alternative = true
[product.clinker]
unit = "t"
process = "0.525 t CO2/t"
theoretical = "1.525 t/t"
best_peer = "12000 t/person-year"
[[benchmark]]
id = "bench"
product = "clinker"
value = 0.693
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
from = 2020-01-01
source = "bench"
"""

_LINE = """
[line.k{n}]
site = "works"
area = "a{area}"
industry = "cement"
people = 14
lcd = {{ basis = "gross", power = true, benchmark = "bench" }}
running = {{ channel = "m{n}.feed", above = 50 }}
[meter.m{n}]
line = "k{n}"
every = "{every}"
[meter.m{n}.channels]
feed = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:raw-meal" }}
slag = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:slag", waste = true }}
ash = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:ash", waste = true }}
sand = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:sand" }}
iron = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:iron" }}
clay = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "material:clay" }}
clinker = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "product:clinker" }}
second = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "product:clinker" }}
coal = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "fuel:coal" }}
rdf = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "fuel:rdf" }}
kwh1 = {{ unit = "kWh", kind = "counter", step = "0.001", counts = "electricity" }}
kwh2 = {{ unit = "kWh", kind = "counter", step = "0.001", counts = "electricity" }}
kwh3 = {{ unit = "kWh", kind = "counter", step = "0.001", counts = "electricity" }}
kwh4 = {{ unit = "kWh", kind = "counter", step = "0.001", counts = "electricity" }}
"""


def plant(lines: int, every: str, *, history: bool = False) -> Plant:
    """`lines` lines of `CHANNELS` channels, each channel read once in `every`; ten lines an area; the six windows."""
    text = [_HEAD.format(intake="history = true" if history else "")]
    for n in range(lines):
        text.append(_LINE.format(n=n, area=n // 10, every=every))
        levels = CHANNELS - _LINE.count("kind =")
        text += [f'temp{k} = {{ unit = "degC", kind = "level", step = "0.01" }}\n' for k in range(levels)]
    return parse("".join(text), file="bench")


class Source:
    """Readings of every channel at each step of `every_ms`, seeded: counters rise, the others wander about."""

    def __init__(self, plant: Plant, every_ms: int = SECOND, seed: int = 1) -> None:
        self._channels = np.arange(len(plant.channels), dtype=np.int32)
        self._counter = np.asarray([c.kind is Kind.COUNTER for c in plant.channels])
        self._every = every_ms
        self._random = np.random.default_rng(seed)
        self._level = np.full(len(plant.channels), 300_000, np.int64)
        self._count = np.zeros(len(plant.channels), np.int64)
        self._step = 0

    def take(self, steps: int) -> Readings:
        """The next steps, all channels of one step after another."""
        n = len(self._channels)
        moves = self._random.integers(-500, 501, (steps, n))
        rises = np.cumsum(self._random.integers(0, 1_000, (steps, n)), axis=0) + self._count
        values: I64 = np.where(self._counter, rises, self._level + moves)
        self._count = rises[-1]
        ts = START + self._every * (self._step + 1 + np.arange(steps, dtype=np.int64))
        self._step += steps
        return Readings.of(np.tile(self._channels, steps), np.repeat(ts, n), values.ravel())
