"""What is sent: meters of three numbers in turn, seeded and of fixed width, and what must be stored of it.

Every frame of a workload has the same length, so a stream is a matrix of bytes: a row a message, digits put in by
columns. Half a million messages are made in a second and sent as they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from devices.durations import SECOND
from devices.readings import I64, U8
from ingest.session.frames import varint

Form = Literal["compact", "spaced", "array"]

START = 1_767_225_600_000
"""2026-01-01T00:00Z, the first reading's round: a backlog is the past, its clock is event time."""
ARRAY = 50
"""Objects of an array's message."""
ID_SPACE = 65_535
TS, FLOW, COAL, KWH = b"T" * 13, b"FFF.FFF", b"CC.CCC", b"KKKKKK.KK"
"""Where digits go: ms, t/h, t/h, kWh."""

_HEAD = """schema = 1
[intake]
grace = "15min"
{history}
[site.works]
enterprise = "acme"
country = "CN"
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
_LINE = """[line.{line}]
site = "works"
area = "{area}"
industry = "cement"
people = 14
lcd = {{ basis = "gross", power = true, benchmark = "bench" }}
"""
_METER = """[meter.{meter}]
line = "{line}"
every = "{every}"
[meter.{meter}.channels]
flow = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "{counts}" }}
coal = {{ unit = "t/h", kind = "rate", step = "0.001", counts = "fuel:coal" }}
kwh = {{ unit = "kWh", kind = "counter", step = "0.01", counts = "electricity" }}
"""
PROBE = """[line.probe{n:03d}]
site = "works"
area = "probes"
[meter.probe{n:03d}]
line = "probe{n:03d}"
every = "10s"
[meter.probe{n:03d}.channels]
made = {{ unit = "t", kind = "amount", step = "1", counts = "product:clinker" }}
fed = {{ unit = "t", kind = "amount", step = "1", counts = "material:meal" }}
"""


@dataclass(frozen=True, slots=True)
class Workload:
    """So many meters that report in turn, `every_ms` from one round to the next, in one form."""

    meters: int
    form: Form = "compact"
    every_ms: int = SECOND
    start: int = START
    probes: int = 0
    """Further lines, each of one meter, that somebody else publishes."""
    a_line: int = 10
    """Meters of each line."""

    @property
    def objects(self) -> int:
        """Of one message; each holds three numbers."""
        return ARRAY if self.form == "array" else 1

    def words(self) -> list[str]:
        """For the command line of another process; `of_words` reads them."""
        return [str(self.meters), self.form, str(self.every_ms), str(self.start), str(self.a_line)]

    # --- registry ------------------------------------------------------------------------------

    def registry(self, *, history: bool = True) -> str:
        """TOML: meters by the line, a hundred lines an area. `history`: the clock is event time (a backlog)."""
        text = [_HEAD.format(history="history = true" if history else "")]
        every = f"{self.every_ms / 1000:g}s"
        for meter in range(self.meters):
            area, line, name = self._place(meter)
            if meter % self.a_line == 0:
                text.append(_LINE.format(line=line, area=area))
            counts = "product:clinker" if meter % 2 else "material:meal"
            text.append(_METER.format(meter=name, line=line, every=every, counts=counts))
        text += [PROBE.format(n=n) for n in range(self.probes)]
        return "".join(text)

    def _place(self, meter: int) -> tuple[str, str, str]:
        line = meter // self.a_line
        return f"a{line // 100:03d}", f"k{line:05d}", f"m{meter:06d}"

    def meter(self, meter: int) -> str:
        """Its name."""
        return self._place(meter)[2]

    def topic(self, meter: int) -> str:
        """Where it publishes: the template's default."""
        return "/".join(("plant", "acme", "works", *self._place(meter)))

    def scope(self) -> str:
        """The first line's."""
        area, line, _ = self._place(0)
        return f"line:acme/works/{area}/{line}"

    # --- messages ------------------------------------------------------------------------------

    def payload(self) -> bytes:
        """One message's, with places where digits go."""
        gap = b" " if self.form == "spaced" else b""
        fields = ((b"ts", TS), (b"flow", FLOW), (b"coal", COAL), (b"kwh", KWH))
        one = b"{" + (b"," + gap).join(b'"' + key + b'":' + gap + value for key, value in fields) + b"}"
        return b"[" + b",".join([one] * ARRAY) + b"]" if self.form == "array" else one

    def frames(self, first: int, count: int, level: int, now: int | None = None) -> U8:
        """(count, length): PUBLISH frames at QoS 1 of messages `first` on; packet ids follow from their numbers.

        `level` is 5 or 4 (3.1.1). `now`: the last round's time, ms, the ones before it 1 ms earlier each; else as told
        by the rounds' numbers.
        """
        payload = self.payload()
        properties = b"\0" if level == 5 else b""
        topic = self.topic(0).encode()
        remaining = 2 + len(topic) + 2 + len(properties) + len(payload)
        head = b"\x32" + varint(remaining) + len(topic).to_bytes(2, "big")
        row = np.frombuffer(head + topic + b"II" + properties + payload, np.uint8)
        out: U8 = np.tile(row, (count, 1))
        number = np.arange(first, first + count, dtype=np.int64)
        meter = number % self.meters
        at = len(head)
        out[:, at : at + len(topic)] = _topics(self)[meter]
        at += len(topic)
        packet = number % ID_SPACE + 1
        out[:, at], out[:, at + 1] = packet >> 8, packet & 255
        at += 2 + len(properties)
        one = len(payload) if self.objects == 1 else (len(payload) - 1) // ARRAY
        for item in range(self.objects):
            values = self.values(number, item)
            if now is not None:
                rounds = number // self.meters
                values["ts"][:] = now - (rounds[-1] - rounds)
            begin = at + item * one
            piece = payload[item * one : item * one + one + 1]
            for key, mark in (("ts", TS), ("flow", FLOW), ("coal", COAL), ("kwh", KWH)):
                _put(out, begin + piece.index(mark), mark, values[key])
        return out

    def values(self, number: I64, item: int = 0) -> dict[str, I64]:
        """Times in ms and counts of the last digit (0.001 t/h, 0.001 t/h, 0.01 kWh) of messages by number."""
        meter, round_ = number % self.meters, number // self.meters * self.objects + item
        mixed = (meter * 7_919 + round_ * 104_729) % 999_983
        return {
            "ts": self.start + round_ * self.every_ms + meter * 997 % self.every_ms,
            "flow": 100_000 + mixed % 900_000,
            "coal": 10_000 + mixed * 31 % 90_000,
            "kwh": 10_000_000 + round_ * 7 + meter % 1_000,
        }

    def clock(self, messages: int) -> int:
        """The newest time in the first so many messages, ms."""
        numbers = np.arange(max(0, messages - 2 * self.meters), messages, dtype=np.int64)
        return int(self.values(numbers, self.objects - 1)["ts"].max())

    def totals(self, messages: int) -> dict[str, int]:
        """Of the first so many messages: the sum of each field's counts, for comparing with a store's."""
        numbers = np.arange(messages, dtype=np.int64)
        parts = [self.values(numbers, item) for item in range(self.objects)]
        return {key: int(sum(part[key].sum() for part in parts)) for key in ("flow", "coal", "kwh")}


def of_words(words: list[str]) -> Workload:
    """The other end of `Workload.words`."""
    form: Any = words[1]
    return Workload(int(words[0]), form, int(words[2]), int(words[3]), a_line=int(words[4]))


@lru_cache(2)
def _topics(workload: Workload) -> U8:
    """Every meter's topic: (meters, length)."""
    return np.array([list(workload.topic(meter).encode()) for meter in range(workload.meters)], np.uint8)


def _put(out: U8, at: int, mark: bytes, values: I64) -> None:
    """Decimal digits of `values` where `mark` stands at column `at`, right to left, over its point."""
    rest = values.copy()
    for place in range(len(mark) - 1, -1, -1):
        if mark[place] != ord("."):
            out[:, at + place] = 48 + rest % 10
            rest //= 10
