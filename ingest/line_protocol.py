"""Line protocol: InfluxDB's text for points, written and read back.

    measurement,tag=value,… field=value,… time_ms

A reading's number is copied digit for digit from its payload: JSON numbers are valid float text here
(checked against a real influxd: 1E5, 1E+5, -0.0, 5e-324, 1.79e308, 400 digits; only an overflow such as 1e400 is
refused, and decoding has already quarantined that). A whole number without suffix is a float field, so a
channel's type never changes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from devices.plant.model import Meter, Plant
from devices.readings import NORMAL, Readings
from ingest import kernels
from ingest.lines import Block, Lines

if TYPE_CHECKING:
    from ingest import line_kernel

Value = float | int | str | bool

# In a name a backslash is literal unless one of `,= ` follows, and nothing escapes the backslash itself: such
# names cannot be carried. Nor can line ends (a new line is a new point) or a leading `#` (a comment).
_UNCARRIABLE = re.compile(r"[\x00\n\r]|\\(?=[,= ]|$)|^#|^$")
_NAME = re.compile(r"([,= ])")


@lru_cache(maxsize=65_536)  # the same few names in every point
def name(text: str) -> bytes:
    """A measurement, tag key, tag value or field key, escaped; ValueError if line protocol cannot carry it."""
    if _UNCARRIABLE.search(text):
        raise ValueError(f"line protocol cannot carry the name {text!r}")
    return _NAME.sub(r"\\\1", text).encode()


@lru_cache(maxsize=4_096)
def _key(text: str) -> bytes:
    if text == "time":
        raise ValueError("InfluxDB reserves the name 'time'")
    return name(text)


def head(measurement: str, tags: Mapping[str, str]) -> bytes:
    """Measurement and tags (sorted, empty ones left out): the series a point belongs to."""
    return _head(measurement, tuple(tags.items()))


@lru_cache(maxsize=16_384)
def _head(measurement: str, tags: tuple[tuple[str, str], ...]) -> bytes:
    parts = [name(measurement).replace(b"\\=", b"=")]  # a measurement's `=` stands bare
    parts += [_key(k) + b"=" + name(v) for k, v in sorted(tags) if v]
    return b",".join(parts)


def value(v: Value) -> bytes:
    """A field's value: floats by shortest repr, integers with `i`, strings quoted; ValueError for NaN, infinities."""
    if isinstance(v, bool):
        return b"true" if v else b"false"
    if isinstance(v, int):
        return b"%di" % v
    if isinstance(v, str):
        return b'"' + v.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
    if not math.isfinite(v):
        raise ValueError(f"InfluxDB has no field value {v}")
    return repr(v).encode()


def point(measurement: str, tags: Mapping[str, str], fields: Mapping[str, Value | None], ts: int) -> bytes:
    """One point at `ts` (ms); fields that are None are left out. ValueError if nothing is left or cannot be carried."""
    body = b",".join(_key(k) + b"=" + value(v) for k, v in fields.items() if v is not None)
    if not body:
        raise ValueError(f"a point of {measurement!r} without fields")
    return b"%b %b %d" % (head(measurement, tags), body, ts)


# --- reading it back ---------------------------------------------------------------------------------------------

_HEAD = re.compile(rb"(?:[^ \\]|\\.)+")
_FIELD = re.compile(rb'((?:[^,= \\]|\\.)+=(?:"(?:[^"\\]|\\.)*"|[^", ]+))([, ])', re.DOTALL)
_TAG = re.compile(rb"((?:[^,=\\]|\\.)+)=((?:[^,=\\]|\\.)+)")
_KEY = re.compile(rb"(?:[^=\\]|\\.)+")
_ESCAPED = re.compile(rb"\\([,= ])")
_ESCAPED_TEXT = re.compile(rb'\\(["\\])')


def split(line: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Series, fields (`key=value`) and time of one line, still as bytes; ValueError if it is not line protocol."""
    if b"\\" not in line and b'"' not in line:
        series, body, time = line.split(b" ")
        return series, body.split(b","), time
    found = _HEAD.match(line)
    if not found or line[found.end() : found.end() + 1] != b" ":
        raise ValueError(f"no series in {line[:80]!r}")
    at, fields = found.end() + 1, []
    while True:
        field = _FIELD.match(line, at)
        if not field:
            raise ValueError(f"no field at byte {at} of {line[:80]!r}")
        fields.append(field[1])
        at = field.end()
        if field[2] == b" ":
            return found[0], fields, line[at:]


def parse_head(series: bytes) -> tuple[str, dict[str, str]]:
    """Measurement and tags of a series."""
    found = re.match(rb"(?:[^,\\]|\\.)+", series)
    if not found:
        raise ValueError(f"no measurement in {series[:80]!r}")
    tags = {_bare(k): _bare(v) for k, v in _TAG.findall(series, found.end())}
    return _bare(found[0]), tags


def parse_field(field: bytes) -> tuple[str, Value]:
    """Key and typed value of one `key=value`; ValueError if the value is none of line protocol's."""
    key = _key_of(field)
    return _bare(key), _value(field[len(key) + 1 :])


def field_key(field: bytes) -> str:
    """Key of one `key=value`."""
    return _bare(_key_of(field))


def _key_of(field: bytes) -> bytes:
    found = _KEY.match(field)
    if not found or found.end() + 1 >= len(field):
        raise ValueError(f"not a field: {field[:80]!r}")
    return found[0]


def _value(text: bytes) -> Value:
    if text[:1] == b'"':
        return _ESCAPED_TEXT.sub(rb"\1", text[1:-1]).decode()
    if text[-1:] == b"i":
        return int(text[:-1])
    if text in (b"true", b"false"):
        return text == b"true"
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"not a number InfluxDB keeps: {text[:80]!r}")
    return number


def _bare(escaped: bytes) -> str:
    return _ESCAPED.sub(rb"\1", escaped).decode()


# --- readings ----------------------------------------------------------------------------------------------------


class ReadingEncoder:
    """Readings of one plant as points of `reading`: a float field a channel, `<channel>_q` where its letter isn't N."""

    measurement = "reading"

    def __init__(self, plant: Plant) -> None:
        self._heads = _heads(plant, self.measurement)
        self._meter = [c.meter for c in plant.channels]
        named = {c.name: (_key(c.name) + b"=", _key(c.name + "_q") + b"=") for c in plant.channels}
        self._field = [named[c.name][0] for c in plant.channels]
        self._letter = [named[c.name][1] for c in plant.channels]

    def encode(self, readings: Readings, *, lettered: Collection[int] = ()) -> Lines:
        """The batch as lines in its order; consecutive rows of one meter and time share a point.

        Rows in `lettered` say their letter even if it is N: they overwrite a reading that may have had another.
        Compiled once the kernels are there (the same bytes), in Python until then.
        """
        if kernels.ready() and len(readings) and (done := self._compiled(readings, lettered)):
            return done
        return self.defined(readings, lettered)

    @cached_property
    def _words(self) -> line_kernel.Words:
        from ingest import line_kernel

        return line_kernel.build(self._heads, self._meter, self._field, self._letter)

    def _compiled(self, readings: Readings, lettered: Collection[int]) -> Lines | None:
        """The lines, or None for a batch with a letter or time that the kernel does not write."""
        from ingest import line_kernel  # it imports numba, which only whoever is ready has

        says = readings.letter != NORMAL
        says[list(lettered)] = True
        told = readings.letter[says]
        if readings.ts.min() < 0 or not ((told >= ord("A")) & (told <= ord("Z"))).all():
            return None
        text, begins, first = line_kernel.encode(readings, says, self._words)
        return Lines(Block(text, begins), first)

    def defined(self, readings: Readings, lettered: Collection[int] = ()) -> Lines:
        """The definition of `encode`."""
        lines: list[bytes] = []
        first: list[int] = []
        parts: list[bytes] = []
        seen: set[int] = set()
        meter, time = -1, 0
        columns = (readings.channel, readings.ts, readings.letter, readings.start, readings.stop)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for row, (channel, ts, letter, start, stop) in enumerate(rows):
            if self._meter[channel] != meter or ts != time or channel in seen:
                if parts:
                    lines.append(self._heads[meter] + b",".join(parts) + b" %d" % time)
                meter, time, parts, seen = self._meter[channel], ts, [], set()
                first.append(row)
            parts.append(self._field[channel] + readings.text[start:stop])
            seen.add(channel)
            if letter != NORMAL or row in lettered:
                parts.append(self._letter[channel] + value(chr(letter)))
        if parts:
            lines.append(self._heads[meter] + b",".join(parts) + b" %d" % time)
        return Lines(lines, [*first, len(readings)])


def _heads(plant: Plant, measurement: str) -> list[bytes]:
    """The head of each meter's series and a space. Meters of one place differ in one tag: only that is made anew."""
    places: dict[tuple[int | None, int | None, int], tuple[bytes, bytes]] = {}
    found = []
    for meter in plant.meters:
        place = meter.line, meter.stack, meter.site
        if place not in places:
            tags = reading_tags(plant, meter) | {"meter": "M"}
            before, _, after = (head(measurement, tags) + b" ").partition(b",meter=M")  # in a value they are escaped
            places[place] = before + b",meter=", after
        before, after = places[place]
        found.append(before + name(meter.name) + after)
    return found


def reading_tags(plant: Plant, meter: Meter) -> dict[str, str]:
    """enterprise, site, area and line or stack, meter."""
    site = plant.sites[meter.site]
    tags = {"enterprise": site.enterprise, "site": site.name, "meter": meter.name}
    if meter.line is not None:
        line = plant.lines[meter.line]
        tags |= {"area": line.area, "line": line.name}
    if meter.stack is not None:
        tags["stack"] = plant.stacks[meter.stack].name
    return tags
