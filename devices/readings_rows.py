"""Lines of a readings file to columns of text: CSV, and NDJSON with the same names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from devices.exact_json import Real, Whole, loads
from devices.foreign import shown

NEEDED = "ts,meter,channel,value[,received,rev,q]"

_NEEDED = (b"ts", b"meter", b"channel", b"value")
_KNOWN = (*_NEEDED, b"received", b"rev", b"q")
_FIELD = re.compile(rb'"((?:[^"]|"")*)"(?:,|$)|([^",]*)(?:,|$)')


class Refused(Exception):
    """A line that can't be used."""

    def __init__(self, line: int, cause: str, mend: str) -> None:
        self.line, self.cause, self.mend = line, cause, mend
        super().__init__(line, cause)


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows as columns of text, in file order; a column that the file does not have is None."""

    line: Sequence[int]  # in the file, from 1
    ts: Sequence[bytes]
    meter: Sequence[bytes]
    channel: Sequence[bytes]
    value: Sequence[bytes]
    received: Sequence[bytes] | None = None  # b"" where not given; so rev and q
    rev: Sequence[bytes] | None = None
    q: Sequence[bytes] | None = None


class CsvLines:
    """CSV whose columns its first line names."""

    def __init__(self, head: bytes) -> None:
        names = [name.strip() for name in _fields(head.removeprefix(b"\xef\xbb\xbf").strip())]
        for name in names:
            if name not in _KNOWN:
                raise Refused(1, f"column {shown(name)} is not known", f"first line: {NEEDED}")
            if names.count(name) > 1:
                raise Refused(1, f"column {shown(name)} stands twice", f"first line: {NEEDED}")
        for name in _NEEDED:
            if name not in names:
                raise Refused(1, f"column {shown(name)} is missing", f"first line: {NEEDED}")
        self._names = [name.decode() for name in names]

    def columns(self, lines: Sequence[bytes], first: int) -> Columns:
        """The columns of these lines, the first of which is line `first`; raises `Refused`."""
        text = b"".join(lines)
        if b"\0" in text:
            line = next(k for k, raw in enumerate(lines, first) if b"\0" in raw)
            raise Refused(line, "a zero byte", "is this a CSV file in UTF-8?")
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n")
        rows = text.removesuffix(b"\n").split(b"\n")
        numbers: Sequence[int] = range(first, first + len(rows))
        if b"" in rows:  # blank lines mean nothing
            kept = [(line, row) for line, row in zip(numbers, rows, strict=True) if row]
            numbers, rows = [line for line, _ in kept], [row for _, row in kept]
        width = len(self._names)
        quoted = b'"' in text
        cells = [_fields(row) for row in rows] if quoted else []
        widths = map(len, cells) if quoted else (row.count(b",") + 1 for row in rows)
        for line, found in zip(numbers, widths, strict=True):
            if found != width:
                cause = f"{found} columns where the first line names {width}"
                raise Refused(line, cause, "is the file cut off, or a name or number written with a comma?")
        flat = [cell for row in cells for cell in row] if quoted else b",".join(rows).split(b",")  # not a list a row
        columns = [flat[k::width] if rows else [] for k in range(width)]
        return Columns(numbers, **dict(zip(self._names, columns, strict=True)))


class NdjsonLines:
    """One JSON object a line."""

    def columns(self, lines: Iterable[bytes], first: int) -> Columns:
        """The columns of these lines, the first of which is line `first`; raises `Refused`."""
        rows = [(k, _object(raw, k)) for k, raw in enumerate(lines, first) if raw.strip()]

        def column(name: str) -> list[bytes]:
            return [_cell(found, name, line) for line, found in rows]

        names = ("ts", "meter", "channel", "value", "received", "rev", "q")
        return Columns([line for line, _ in rows], *(column(name) for name in names))


def _fields(line: bytes) -> list[bytes]:
    """Fields with quotes (RFC 4180, without newlines inside)."""
    found: list[bytes] = []
    at = 0
    while field := _FIELD.match(line, at):
        found.append(field[2] if field[1] is None else field[1].replace(b'""', b'"'))
        at = field.end()
        if not line[: field.end()].endswith(b",") or field.end() == field.start():
            break
    return found


def _object(raw: bytes, line: int) -> dict[str, Any]:
    mend = 'one object a line: {"ts": …, "meter": …, "channel": …, "value": …}'
    try:
        found = loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Refused(line, f"not JSON: {error}", mend) from None
    if type(found) is not dict:
        raise Refused(line, "not one JSON object with different keys", mend)
    for name in found:
        if name.encode("utf-8", "replace") not in _KNOWN:
            raise Refused(line, f"key {shown(name)} is not known", mend)
    return found


def _cell(found: dict[str, Any], name: str, line: int) -> bytes:
    value = found.get(name)
    if value is None and name.encode() not in _NEEDED:
        return b""
    number, text = type(value) in (Whole, Real), type(value) is str
    wanted = {"value": number, "rev": number, "ts": number or text, "received": number or text}.get(name, text)
    if not wanted:
        cause = (
            f"{name} is missing" if name not in found else f"{name} is not a {'number' if name == 'value' else 'text'}"
        )
        raise Refused(line, cause, "see docs: readings file")
    return str(value).encode("utf-8", "backslashreplace")
