"""`greengauge feed`: the rows of a CSV file as meter messages, one message a row (and meter).

The file's own digits are published: a cell is text until the broker has it. Rows keep their order, also
through a broker's restart (see `link`). At the end each topic gets `{"close": true}`.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from devices.broker import Broker
from devices.errors import ConfigurationError, EnvironmentFailure
from devices.plant.model import Plant
from devices.simulator import feed_map
from devices.simulator.feed_map import Counted, FeedMap
from devices.simulator.link import IN_FLIGHT, Link, Pump

_NUMBER = re.compile(r"([+-]?)(?=\.?\d)0*(\d*)(?:\.(\d*))?([eE][+-]?\d+)?", flags=re.ASCII)
_GIVE_UP_S = 3600.0


@dataclass
class Fed:
    """What a feed did; `notes` are sentences for people."""

    rows: int = 0
    messages: int = 0
    values: int = 0
    empty: int = 0
    not_numbers: int = 0
    no_time: int = 0
    nothing: int = 0  # rows without any value
    gap: int = 0  # local times that do not exist
    twice: int = 0  # local times that exist twice
    seconds: float = 0.0
    topics: tuple[str, ...] = ()
    examples: dict[str, str] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """What a user should know about what was left out or assumed."""
        said = [
            (self.empty, "empty cell(s) skipped", ""),
            (self.not_numbers, "cell(s) that are no numbers skipped", "not_numbers"),
            (self.no_time, "row(s) without a readable time skipped", "no_time"),
            (self.nothing, "row(s) without any value skipped", ""),
            (self.gap, "local time(s) that do not exist (clocks go forward): taken with the offset before", "gap"),
            (self.twice, "local time(s) that exist twice (clocks go back): taken as they follow in the file", "twice"),
        ]
        return [
            f"{n:,} {text}" + (f", e.g. {self.examples[k]}" if k in self.examples else "") for n, text, k in said if n
        ]


def feed(
    file: Path | str,
    map: Path | str | FeedMap,  # noqa: A002 - the option's name is a contract
    *,
    broker: Broker | str,
    plant: Plant | None = None,
    speed: float | None = None,
    show: bool | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Fed:
    """Publish a CSV file (.gz is read).

    speed  times real time by the rows' stamps; None: as fast as possible.
    show   a progress bar; default: if standard error is a terminal.
    Raises ConfigurationError for a file or map that cannot be used, EnvironmentFailure if the broker is lost
    for an hour. Memory is bounded by the window of unacknowledged messages, not by the file.
    """
    registry = os.environ.get("GREENGAUGE_REGISTRY")
    chosen = (
        map
        if isinstance(map, FeedMap)
        else feed_map.load(Path(map), plant, Path(registry).resolve() if registry else None)
    )
    path = Path(file)
    link = Link(broker if isinstance(broker, Broker) else Broker.parse(broker), f"feed-{os.getpid()}")
    pump = Pump([link])
    done = Fed(topics=chosen.topics)
    began = time.monotonic()
    with _Bar(path, sys.stderr.isatty() if show is None else show) as bar, _open(path) as lines:
        rows = _rows(lines, chosen, path, done)
        pump.connect()
        pace = _Pace(speed)
        for ts, messages in rows:
            pace.wait(ts, pump)
            if stop():
                break
            for topic, payload in messages:
                _publish(pump, link, topic, payload)
            done.messages += len(messages)
            if done.rows % 500 == 0:
                bar.at(done.rows)
        for topic in chosen.topics:
            _publish(pump, link, topic, '{"close": true}')
        if not pump.drain(_GIVE_UP_S):
            raise _lost(link)
        bar.at(done.rows)
    link.disconnect()
    pump.run(0)
    done.seconds = time.monotonic() - began
    return done


def speed_of(text: str) -> float | None:
    """`max` or a factor of real time, as `--speed` says it."""
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < 1e12:
        raise ConfigurationError(f"--speed {text}", mend="say `max`, or how many times real time, like 60")
    return factor


def _publish(pump: Pump, link: Link, topic: str, payload: str) -> None:
    """One message into the window; at its end half of it must be acknowledged before it goes on."""
    link.publish(topic, payload)
    if link.unacknowledged % 100 == 0:
        pump.run(0)
    if not link.room and not pump.until(lambda: link.ready and link.unacknowledged <= IN_FLIGHT // 2, _GIVE_UP_S):
        raise _lost(link)


def _lost(link: Link) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the broker is lost: {link.refused or 'no answer'}",
        where=str(link.broker),
        mend="start it again and feed the file once more: what was stored is not stored twice",
    )


def number(cell: str) -> str | None:
    """A cell as a JSON number with its own digits (`.5` → `0.5`, `007` → `7`); None if it is no number."""
    found = _NUMBER.fullmatch(cell)
    if not found:
        return None
    sign, whole, part, exponent = found.groups()
    return ("-" if sign == "-" else "") + (whole or "0") + (f".{part}" if part else "") + (exponent or "")


def _rows(lines: Iterator[str], chosen: FeedMap, path: Path, done: Fed) -> Iterator[tuple[int, list[tuple[str, str]]]]:
    """(time, [(topic, payload)…]) of each row."""
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    place = {name.strip(): i for i, name in enumerate(header)}
    wanted = [c.column for c in chosen.columns] + ([] if isinstance(chosen.time, Counted) else [chosen.time.column])
    for name in wanted:
        if name not in place:
            raise ConfigurationError(
                f"the file has no column `{name}`", where=str(path), mend="its columns: " + ", ".join(place)
            )
    by_topic = [
        (topic, [(place[c.column], f", {json.dumps(c.field)}: ") for c in chosen.columns if c.topic == topic])
        for topic in chosen.topics
    ]
    stamp = _stamps(chosen, place, done)
    for cells in csv.reader(lines, delimiter=delimiter):
        if not cells:
            continue
        done.rows += 1
        ts = stamp(cells)
        if ts is None:
            continue
        messages = []
        for topic, columns in by_topic:
            body = "".join(key + text for at, key in columns if (text := _value(cells, at, done)))
            if body:
                messages.append((topic, f'{{"ts": {ts}{body}}}'))
        if messages:
            yield ts, messages
        else:
            done.nothing += 1


def _value(cells: list[str], at: int, done: Fed) -> str | None:
    cell = cells[at].strip() if at < len(cells) else ""
    if not cell:
        done.empty += 1
        return None
    text = number(cell)
    if text is None:
        done.not_numbers += 1
        done.examples.setdefault("not_numbers", f"`{cell[:40]}` in row {done.rows}")
        return None
    done.values += 1
    return text


def _stamps(chosen: FeedMap, place: dict[str, int], done: Fed) -> Callable[[list[str]], int | None]:
    """How a row gets its time."""
    of = chosen.time
    if isinstance(of, Counted):
        return lambda _cells: of.start + (done.rows - 1) * of.every
    at, read = place[of.column], feed_map.reader(of)

    def stamp(cells: list[str]) -> int | None:
        cell = cells[at] if at < len(cells) else ""
        try:
            ts, odd = read(cell)
        except (ValueError, OverflowError):
            done.no_time += 1
            done.examples.setdefault("no_time", f"`{cell[:40]}` in row {done.rows}")
            return None
        if odd:
            setattr(done, odd, getattr(done, odd) + 1)
            done.examples.setdefault(odd, f"`{cell}` in row {done.rows}")
        return ts

    return stamp


class _Pace:
    """Real time times a factor; a stamp that jumps back waits for nothing."""

    def __init__(self, speed: float | None) -> None:
        self.speed, self._first, self._began = speed, 0, 0.0

    def wait(self, ts: int, pump: Pump) -> None:
        if not self.speed:
            return
        if not self._began:
            self._first, self._began = ts, time.monotonic()
        due = self._began + (ts - self._first) / 1000 / self.speed
        while (left := due - time.monotonic()) > 0:
            pump.run(min(left, 0.5))


class _open:  # noqa: N801 - used like the function
    """The file's lines, unzipped and without a byte order mark."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as file:
                zipped = file.read(2) == b"\x1f\x8b"
            raw = gzip.open(self._path) if zipped else self._path.open("rb")
        except OSError as failure:
            raise self._cannot(failure.strerror or str(failure)) from None
        self._text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        return iter(self._text)

    def __exit__(self, _type: object, failure: object, _trace: object) -> None:
        self._text.close()
        if isinstance(failure, (UnicodeDecodeError, EOFError, gzip.BadGzipFile, csv.Error)):
            raise self._cannot(str(failure)) from None

    def _cannot(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"the file cannot be read: {why}", where=str(self._path), mend="a CSV file in UTF-8, or one in .gz"
        )


class _Bar:
    """A progress bar on standard error, or nothing."""

    def __init__(self, path: Path, show: bool) -> None:
        self._path, self._show = path, show

    def __enter__(self) -> _Bar:
        if self._show:
            with _open(self._path) as lines:
                total = sum(1 for _ in lines) - 1
            columns = (TextColumn("feed"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeRemainingColumn())
            from rich.console import Console

            self._progress = Progress(*columns, console=Console(stderr=True))
            self._task = self._progress.add_task("feed", total=total)
            self._progress.start()
        return self

    def at(self, rows: int) -> None:
        if self._show:
            self._progress.update(self._task, completed=rows)

    def __exit__(self, *_: object) -> None:
        if self._show:
            self._progress.stop()
