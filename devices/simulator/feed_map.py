"""MAP.toml: which column of a CSV file is which channel of which meter, and how its time is written.

registry = "plant.toml"                 # beside the map; then `meter` is a name in it
time = { column = "date", format = "%d/%m/%Y %H:%M", zone = "Asia/Seoul" }
# or: time = { start = "2011-01-01T00:00:00Z", every = "1h" }
midnight = "next-day"                   # 0:00 closes the day before it; default "literal"
meter = "eaf1-main"                     # or a whole topic, if there is no registry
[[channel]]
column = "Usage_kWh"
channel = "kwh"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from devices import durations, times
from devices.errors import ConfigurationError
from devices.plant.model import Plant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
ISO, EPOCH_MS, EPOCH_S = "iso", "ms", "s"
"""Formats beside strptime's: RFC 3339 or a local ISO time, milliseconds, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column to publish."""

    column: str
    field: str  # key in the payload
    topic: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Times start at `start` and go on by `every`, a row each (ms)."""

    start: int
    every: int


@dataclass(frozen=True, slots=True)
class Written:
    """Times stand in a column."""

    column: str
    format: str
    zone: ZoneInfo | None
    next_day: bool  # 0:00 belongs to the end of the day it names


@dataclass(frozen=True, slots=True)
class FeedMap:
    """A map, checked."""

    time: Counted | Written
    columns: tuple[Column, ...]

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that is fed, in order of first use."""
        return tuple(dict.fromkeys(c.topic for c in self.columns))


def load(path: Path, plant: Plant | None = None, registry: Path | None = None) -> FeedMap:
    """Read and check a map. ConfigurationError names key and mend.

    Meters are looked up in `plant`, else in the map's own `registry`, else in `registry`.
    """
    where = str(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as failure:
        raise ConfigurationError(
            f"the map cannot be read: {failure.strerror}", where=where, mend="check --map"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigurationError(f"the map is not TOML: {wrong}", where=where, mend="correct that line") from None
    try:
        _known(raw, {"registry", "time", "midnight", "meter", "channel"}, "the map")
        if plant is None and (named := raw.get("registry") or registry):
            from devices.plant import load as load_plant  # only a map with a registry needs one

            plant = load_plant(path.parent / str(named))
        return FeedMap(_time(raw), _columns(raw, plant))
    except ConfigurationError as wrong:
        wrong.where = wrong.where or where
        raise


def reader(of: Written) -> Callable[[str], tuple[int, Literal["", "gap", "twice"]]]:
    """How a time cell becomes ms: (time, whether the local time does not exist or exists twice that day).

    Both take the first offset (fold = 0), as the caller should say; but a time that exists twice is the second where
    the file had the first already: rows 2:00, 2:30, 2:00, 2:30 are two hours. ValueError if the cell is no such time.
    """
    before: datetime | None = None  # the row before
    if of.format in (EPOCH_MS, EPOCH_S):
        factor = 1 if of.format == EPOCH_MS else 1000
        return lambda cell: (_whole(cell, factor), "")

    def read(cell: str) -> tuple[int, Literal["", "gap", "twice"]]:
        nonlocal before
        text = cell.strip()
        when = datetime.fromisoformat(text) if of.format == ISO else datetime.strptime(text, of.format)
        if of.next_day and when.time() == datetime.min.time():
            when += timedelta(days=1)
        odd: Literal["", "gap", "twice"] = ""
        if when.tzinfo is None:
            if of.zone is None:
                raise ValueError("it has no zone, and the map names none")
            odd = _odd(when, of.zone)
            when = when.replace(tzinfo=of.zone)
            if odd == "twice" and before is not None and _utc(when) <= before < _utc(when.replace(fold=1)):
                when = when.replace(fold=1)
        before = _utc(when)
        return (when - _EPOCH) // _MS, odd

    return read


def _utc(when: datetime) -> datetime:
    return when.astimezone(UTC)  # of one zone Python compares what the clock on the wall shows


def _whole(cell: str, factor: int) -> int:
    number = float(cell)
    return round(number * factor) if factor != 1 else int(cell)


def _odd(when: datetime, zone: ZoneInfo) -> Literal["", "gap", "twice"]:
    first, second = (when.replace(tzinfo=zone, fold=f).utcoffset() for f in (0, 1))
    if first == second or first is None or second is None:
        return ""
    return "gap" if second > first else "twice"


def _time(raw: Mapping[str, Any]) -> Counted | Written:
    table = raw.get("time")
    if not isinstance(table, dict):
        raise ConfigurationError("`time` is missing", mend='say time = { column = "…", format = "…", zone = "…" }')
    midnight = raw.get("midnight", "literal")
    if midnight not in ("literal", "next-day"):
        raise ConfigurationError(f"midnight = {midnight!r}", mend='say "literal" or "next-day"')
    if "start" in table or "every" in table:
        _known(table, {"start", "every"}, "time")
        start, every = _text(table, "start", "time"), _text(table, "every", "time")
        return Counted(times.parse(start), durations.parse(every))
    _known(table, {"column", "format", "zone"}, "time")
    name = table.get("zone")
    try:
        zone = ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise ConfigurationError(
            f"there is no time zone `{name}`", mend='name one like "Asia/Shanghai" or "UTC"'
        ) from None
    form = str(table.get("format", ISO))
    if zone is None and form not in (ISO, EPOCH_MS, EPOCH_S) and "%z" not in form:
        raise ConfigurationError("`time` has no zone", mend='add zone = "Asia/Shanghai" (or "UTC")')
    return Written(_text(table, "column", "time"), form, zone, midnight == "next-day")


def _columns(raw: Mapping[str, Any], plant: Plant | None) -> tuple[Column, ...]:
    listed = raw.get("channel")
    if not isinstance(listed, list) or not listed:
        raise ConfigurationError("no [[channel]] says which column to publish", mend="add at least one")
    found = []
    for number, entry in enumerate(listed, 1):
        place = f"[[channel]] {number}"
        _known(entry, {"column", "channel", "meter"}, place)
        meter = entry.get("meter", raw.get("meter"))
        if not isinstance(meter, str):
            raise ConfigurationError(f"{place} has no meter", mend="name it there, or once as `meter = …` above")
        topic, field = _resolve(meter, _text(entry, "channel", place), plant)
        found.append(Column(_text(entry, "column", place), field, topic))
    twice = [c for c in found if sum(d.topic == c.topic and d.field == c.field for d in found) > 1]
    if twice:
        raise ConfigurationError(f"two columns go to `{twice[0].field}` of {twice[0].topic}", mend="leave one out")
    return tuple(found)


def _resolve(meter: str, channel: str, plant: Plant | None) -> tuple[str, str]:
    """(topic, payload key) of a channel."""
    if plant is None:
        if "/" in meter:
            if re.search(r"[+#\0]", meter):
                raise ConfigurationError(f"`{meter}` is no topic to publish on", mend="wildcards only subscribe")
            return meter, channel
        raise ConfigurationError(
            f"where does meter `{meter}` publish?",
            mend='add registry = "plant.toml" to the map, set GREENGAUGE_REGISTRY, or write the whole topic as `meter`',
        )
    named = {m.name: m for m in plant.meters} | {m.topic: m for m in plant.meters}
    if meter not in named:
        raise ConfigurationError(f"the registry has no meter `{meter}`", mend="its meters: " + _some(named))
    own = [plant.channels[c] for c in named[meter].channels if plant.channels[c].source is None]
    for c in own:
        if channel in (c.name, c.field):
            return named[meter].topic, c.field
    raise ConfigurationError(
        f"meter `{meter}` has no channel `{channel}`", mend="it has: " + _some(c.name for c in own)
    )


def _some(names: Any) -> str:
    listed = [n for n in names if "/" not in n]
    return ", ".join(listed[:12]) + (" …" if len(listed) > 12 else "")


def _known(table: Any, keys: set[str], place: str) -> None:
    if not isinstance(table, dict):
        raise ConfigurationError(f"{place} is not a table", mend="see the example in the documentation")
    for key in table:
        if key not in keys:
            raise ConfigurationError(
                f"{place} has an unknown key `{key}`", mend="it may have: " + ", ".join(sorted(keys))
            )


def _text(table: Mapping[str, Any], key: str, place: str) -> str:
    value = table.get(key)
    if isinstance(value, datetime) and value.tzinfo:
        value = value.isoformat()  # TOML has times of its own
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{place} lacks `{key}`", mend=f'add {key} = "…"')
    return value
