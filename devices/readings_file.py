"""Readings files: CSV or NDJSON, plain or .gz, as `Readings` in file order (contracts.md, "Readings file").

    ts,meter,channel,value[,received,rev,q]        in any order of columns, named by the first line
    {"ts": …, "meter": …, "channel": …, "value": …}  one object a line

`ts` is a whole number of milliseconds or RFC 3339 with a zone; `channel` is the registry's name.
A batch of lines is turned into columns at once: a row costs one split and a few passes of numpy.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from devices import times
from devices.errors import ConfigurationError, EnvironmentFailure
from devices.foreign import shown
from devices.plant.model import Plant
from devices.readings import I64, NORMAL, U8, Readings
from devices.readings_rows import NEEDED, Columns, CsvLines, NdjsonLines, Refused
from devices.ruler import Ruler, read_all

BATCH_BYTES = 4 << 20
"""About 100,000 rows."""


def read(path: Path, plant: Plant, *, batch_bytes: int = BATCH_BYTES) -> Iterator[Readings]:
    """The readings of a file, batch by batch. `position` is the line number, `text` the numbers as written.

    Without `received` a row's receive time is the greatest ts so far; receive times never go back, as in the
    log. Values out of range are marked, as the decoder marks them.

    Raises ConfigurationError with file and line: unknown meter or channel, a derived channel, not a number,
    a bad time, a wrong number of columns. EnvironmentFailure if the file can't be read.
    """
    rows = _Rows(plant)
    with _opened(path) as file:
        head = file.readline()
        if not head.strip():
            raise ConfigurationError("the readings file is empty", where=f"{path}:1", mend=f"first line: {NEEDED}")
        line = 1
        try:
            if head.lstrip().startswith(b"{"):
                parse: CsvLines | NdjsonLines = NdjsonLines()
                yield rows.columns(parse.columns([head], 1))
            else:
                parse = CsvLines(head)
            line = 2
            while lines := file.readlines(batch_bytes):
                yield rows.columns(parse.columns(lines, line))
                line += len(lines)
        except Refused as refused:
            raise ConfigurationError(refused.cause, where=f"{path}:{refused.line or line}", mend=refused.mend) from None


EARLIEST, LATEST = -2_208_988_800_000, 221_845_391_999_999
"""Times that calendars and windows can still step over, ms: 1900 through 8999."""


class _Rows:
    """Columns of text to `Readings`, with what one batch leaves to the next: the clock."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._rulers = [Ruler(c) if c.source is None else None for c in plant.channels]
        self._channel = {
            (plant.meters[c.meter].name.encode(), c.name.encode()): c.index for c in plant.channels if c.source is None
        }
        self._greatest = self._received = -(2**63)

    def columns(self, rows: Columns) -> Readings:
        """One batch; raises `Refused`."""
        channel = np.array(
            [self._channel.get(name, -1) for name in zip(rows.meter, rows.channel, strict=True)], dtype=np.int32
        )
        if len(channel) and channel.min() < 0:
            raise self._unknown(rows, int(np.argmin(channel)))
        ts = _times(rows, rows.ts, "ts")
        try:
            value, mark = read_all(self._rulers, channel, np.array(rows.value, dtype=np.bytes_))
        except ValueError as no_number:
            row = no_number.args[0]
            mend = "write a plain decimal number" if rows.value[row] else "leave the row out where nothing was measured"
            raise Refused(rows.line[row], f"value {shown(rows.value[row])} is not a number", mend) from None
        return Readings.of(
            channel,
            ts,
            value,
            rev=None if rows.rev is None else _whole(rows, rows.rev, "rev"),
            letter=None if rows.q is None else _letters(rows, rows.q),
            mark=mark,
            received=self._receive(rows, ts),
            position=np.array(rows.line, np.int64),
            numbers=rows.value,
        )

    def _receive(self, rows: Columns, ts: I64) -> I64:
        """Given receive times, else the greatest ts so far; never going back."""
        greatest = np.maximum(np.maximum.accumulate(ts), self._greatest)
        received = greatest
        if rows.received is not None:
            given = np.array([bool(text) for text in rows.received], np.bool_)
            received = greatest.copy()
            received[given] = _times(rows, [text or b"0" for text in rows.received], "received")[given]
        received = np.maximum(np.maximum.accumulate(received), self._received)
        if len(ts):
            self._greatest, self._received = int(greatest[-1]), int(received[-1])
        return received

    def _unknown(self, rows: Columns, row: int) -> Refused:
        meter, channel, line = rows.meter[row], rows.channel[row], rows.line[row]
        owner = next((m for m in self._plant.meters if m.name.encode() == meter), None)
        if owner is None:
            return Refused(line, f"meter {shown(meter)} is not in the registry", "correct its name, or add the meter")
        names = [self._plant.channels[c].name for c in owner.channels]
        if channel.decode("utf-8", "replace") in names:
            mend = "leave it out: it is computed from its source"
            return Refused(line, f"channel {shown(channel)} of meter {shown(meter)} is derived", mend)
        mend = f"it has {', '.join(names)}"
        return Refused(line, f"meter {shown(meter)} has no channel {shown(channel)}", mend)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked if it is gzip."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
    except FileNotFoundError:
        raise ConfigurationError("there is no such readings file", where=str(path), mend="check the path") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ConfigurationError(f"the gzip file is damaged: {error}", where=str(path), mend="copy it again") from None
    except OSError as error:
        raise EnvironmentFailure(
            f"can't be read: {error.strerror}", where=str(path), mend="see its permissions"
        ) from None


def _times(rows: Columns, texts: Sequence[bytes], name: str) -> I64:
    found = _moments(rows, texts, name)
    wild = (found < EARLIEST) | (found > LATEST)
    if wild.any():
        row = int(np.argmax(wild))
        cause = f"{name} {shown(texts[row])} is not in the years 1900 to 8999"
        raise Refused(rows.line[row], cause, "write milliseconds since 1970 UTC, not seconds or nanoseconds")
    return found


def _moments(rows: Columns, texts: Sequence[bytes], name: str) -> I64:
    if b"_" not in b"".join(texts):  # int() would take 1_000
        try:
            return np.array([int(text) for text in texts], np.int64)
        except (ValueError, OverflowError):
            pass  # not all whole numbers: one by one, so that the line can be named
    found = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts):
        try:
            plain = text.removeprefix(b"-").isdigit()
            found[row] = int(text) if plain else times.parse(text.decode("latin-1"))
        except (ValueError, OverflowError, ConfigurationError) as error:
            why = f": {error.cause}" if isinstance(error, ConfigurationError) and b":" in text else ""
            mend = "a whole number of milliseconds since 1970 UTC, or RFC 3339 with a zone: 2026-01-01T00:00:00Z"
            raise Refused(rows.line[row], f"{name} {shown(text)} is not a time{why}", mend) from None
    return found


def _whole(rows: Columns, texts: Sequence[bytes], name: str) -> I64:
    found = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts):
        try:
            found[row] = int(text or b"0")
        except (ValueError, OverflowError):
            cause = f"{name} {shown(text)} is not a whole number of 64 bits"
            raise Refused(rows.line[row], cause, "leave it empty where there is none") from None
    return found


def _letters(rows: Columns, texts: Sequence[bytes]) -> U8:
    for row, text in enumerate(texts):
        if text not in _LETTERS:
            mend = "one letter of HJ 212: N F M S D C T B, or nothing for N"
            raise Refused(rows.line[row], f"q {shown(text)} is not a quality flag", mend)
    return np.array([text[0] if text else NORMAL for text in texts], np.uint8)


_LETTERS = frozenset((b"", b"N", b"F", b"M", b"S", b"D", b"C", b"T", b"B"))
