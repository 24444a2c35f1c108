"""When a store refuses part of a batch: find exactly what it will never take, and store all the rest.

InfluxDB 2.7 stores the good points of a batch, names only the first bad one's field, says how many
points it dropped, and drops a bad point's good fields too. So a refused batch is written again with
the named field's values split off into lines of their own (same series and time: nothing else is
lost), and halved where that does not settle it. Every write is harmless to repeat.

Cost: a field that conflicts everywhere costs two requests once; a bad point among 5,000 whose cause
is not named costs at most 2 × log2(5,000) ≈ 25.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest import line_protocol as lp
from ingest.lines import joined
from ingest.store.base import BadPoint


class Refused(Exception):
    """The store is up and will not take (all of) this request."""

    def __init__(self, words: str, *, too_large: bool = False) -> None:
        self.words, self.too_large = words, too_large
        named = _FIELD.search(words)
        self.conflict = (_plain(named[2]), _plain(named[1])) if named else None  # measurement, field
        dropped = _DROPPED.findall(words)
        self.dropped = int(dropped[-1]) if dropped else None
        bound = _LOWER.search(words)
        self.before_ms = int(datetime.fromisoformat(bound[1]).replace(tzinfo=UTC).timestamp() * 1000) if bound else None
        super().__init__(words)


_FIELD = re.compile(r'input field \\?"(.+?)\\?" on measurement \\?"(.+?)\\?" is ')
_DROPPED = re.compile(r"dropped=(\d+)")
_LOWER = re.compile(r"Lower Bound at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")


def _plain(quoted: str) -> str:
    return quoted.replace('\\"', '"').replace("\\\\", "\\")


@dataclass(frozen=True, slots=True)
class Item:
    """A line, or one field of a line, on its way to the store."""

    line: int
    fields: tuple[str, ...]
    text: bytes
    measurement: str
    ts: int
    whole: bool  # the line as it was given


Conflicts = dict[tuple[str, str], str]
"""(measurement, field) that the store refuses throughout -> its words: split off before sending."""


def settle(
    lines: Sequence[bytes], post: Callable[[bytes], None], conflicts: Conflicts, *, max_bytes: int
) -> list[BadPoint]:
    """Write all of `lines` but what the store refuses; that is returned. `post` raises `Refused` or passes."""
    work, first = _Settling(post, conflicts, max_bytes), None
    body = b"" if conflicts else joined(lines)
    if body and len(body) <= max_bytes:
        try:  # the usual case costs no parsing
            post(body)
        except Refused as refusal:
            first = refusal
        else:
            return []
    items = [_item(number, line) for number, line in enumerate(lines)]
    bad = work.refused(items, first) if first else work.write(items)
    return sorted(bad, key=lambda point: (point.line, point.field))


@dataclass(slots=True)
class _Settling:
    post: Callable[[bytes], None]
    conflicts: Conflicts
    max_bytes: int

    def write(self, items: list[Item]) -> Iterator[BadPoint]:
        """Store the items; yield what is refused for good."""
        items = [part for item in items for part in self._parts(item)]
        suspects = [item for item in items if self._conflict(item)]
        if not suspects:
            yield from self._settle(items)
            return
        yield from self._settle([item for item in items if not self._conflict(item)])
        bad = list(self._settle(suspects))
        if not bad:  # the store takes the field again (another shard, a new bucket)
            for item in suspects:
                self.conflicts.pop((item.measurement, item.fields[0]), None)
        yield from bad

    def _settle(self, items: list[Item]) -> Iterator[BadPoint]:
        if not items:
            return
        if len(items) > 1 and sum(len(item.text) + 1 for item in items) > self.max_bytes:
            yield from self._halves(items)
            return
        try:
            self.post(b"\n".join(item.text for item in items))
        except Refused as refusal:
            yield from self.refused(items, refusal)

    def refused(self, items: list[Item], refusal: Refused) -> Iterator[BadPoint]:
        """The store answered this to `items` in one request: store what it takes of them, yield the rest."""
        alone = all(len(item.fields) == 1 for item in items)
        if refusal.dropped == len(items) and (alone or refusal.before_ms is not None):
            for item in items:  # every one of them: certain
                yield from _bad(item, refusal)
            return
        if (bound := refusal.before_ms) is not None:
            old = sorted((item for item in items if item.ts <= bound), key=lambda item: item.ts)
            if 0 < len(old) < len(items):
                taken = _taken(old, refusal)
                yield from self._settle([item for item in items if item.ts > bound] + old[taken:])
                yield from self._settle(old[:taken])
                return
        if refusal.conflict and self._names_new(items, refusal.conflict):
            self.conflicts[refusal.conflict] = refusal.words
            yield from self.write(items)
            return
        if len(items) > 1:
            yield from self._halves(items)
            return
        (item,) = items
        if len(item.fields) > 1 and not refusal.too_large and refusal.before_ms is None:
            yield from self._settle(list(_single_fields(item)))
            return
        yield from _bad(item, refusal)

    def _halves(self, items: list[Item]) -> Iterator[BadPoint]:
        middle = len(items) // 2
        yield from self._settle(items[:middle])
        yield from self._settle(items[middle:])

    def _names_new(self, items: list[Item], conflict: tuple[str, str]) -> bool:
        """Whether splitting off this field changes anything."""
        measurement, field = conflict
        return any(
            item.measurement == measurement and field in item.fields and len(item.fields) > 1 for item in items
        ) or (conflict not in self.conflicts and any(item.fields != (field,) for item in items))

    def _conflict(self, item: Item) -> bool:
        return len(item.fields) == 1 and (item.measurement, item.fields[0]) in self.conflicts

    def _parts(self, item: Item) -> list[Item]:
        """The item with each field of a known conflict on a line of its own."""
        out = [f for f in item.fields if (item.measurement, f) in self.conflicts]
        if not out or len(item.fields) == 1:
            return [item]
        singles = list(_single_fields(item))
        apart = [single for single in singles if single.fields[0] in out]
        rest = [single for single in singles if single.fields[0] not in out]
        return [*apart, *([_joined(rest)] if rest else [])]


def _item(number: int, line: bytes) -> Item:
    try:
        head, fields, time = lp.split(line)
        names = tuple(map(lp.field_key, fields))
        return Item(number, names, line, lp.parse_head(head)[0], int(time), whole=True)
    except ValueError:  # a bug of ours: the store says so in its own words, and only this line is lost to it
        return Item(number, ("",), line, "", 0, whole=True)


def _taken(old: list[Item], refusal: Refused) -> int:
    """From which of the points beyond retention on, oldest first, the store took them all the same.

    It takes those in the shard that a newer point of the same request opens; alone they would be dropped, and told as
    refused though they stand. All that it dropped for their age are older: a shard is one stretch of time.
    """
    for_age = refusal.dropped is not None and refusal.conflict is None
    return min(refusal.dropped, len(old)) if for_age and refusal.dropped else len(old)


def _bad(item: Item, refusal: Refused) -> Iterator[BadPoint]:
    fields = ("",) if item.whole and len(item.fields) > 1 else item.fields
    yield from (BadPoint(item.line, field, refusal.words) for field in fields)


def _single_fields(item: Item) -> Iterator[Item]:
    head, fields, time = lp.split(item.text)
    for name, field in zip(item.fields, fields, strict=True):
        yield Item(item.line, (name,), b" ".join((head, field, time)), item.measurement, item.ts, whole=False)


def _joined(singles: list[Item]) -> Item:
    head, _, time = lp.split(singles[0].text)
    fields = b",".join(lp.split(single.text)[1][0] for single in singles)
    names = tuple(single.fields[0] for single in singles)
    return Item(singles[0].line, names, b" ".join((head, fields, time)), singles[0].measurement, singles[0].ts, False)
