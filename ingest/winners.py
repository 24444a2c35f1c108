"""Which of several readings of one (channel, ts) the store must end up with: semantics §1, across batches and restarts.

A store keeps what was written last, so writing in log order nearly gives the winners. It fails in two
cases: a lower `rev` arriving after a higher one, and a duplicate of an older value arriving after its
successor (A, B, A again: B wins, because A was first seen earlier). To know, one must remember what
was sent; remembering every key would cost hundreds of bytes a reading for as long as `past` reaches.

So: each channel's newest ts is kept (8 bytes a channel). A reading beyond it is certainly the first of
its key and is sent blindly: that is nearly all of them, and the test is one array comparison. A late
one is rare, and the **store itself is the memory**: it is asked what it holds of that key. Nothing:
send. The same value: a duplicate. Another value: a conflict, and only conflicting keys, and keys with
a `rev`, are remembered here for good, in SQLite, synced before the store is written.

A late reading of a remembered key sends the winner *again*, whatever it says itself: so after a crash
between the store's 204 and the cursor, or after a rewind, replaying any tail of the log ends right.
`newest` is saved about once a second together with its log position, and reading resumes no later than
there. Rejected: a window of recent keys in memory (150 bytes a key, and still blind beyond it and
after a restart); asking the store about everything (doubles its work).

Values are compared as the doubles that the store holds. A token that may only write cannot ask: then
late readings are sent in log order, which `blind` says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from devices.errors import EnvironmentFailure
from devices.plant.model import Plant
from devices.readings import Readings
from ingest import contested, newest_tables
from ingest.contested import Contested, Key, Winner
from ingest.derived import damaged, put_aside
from ingest.late import Keys
from ingest.newest_tables import NewestTables
from ingest.store.base import Series, Span

UNKNOWN = -1
"""Letter of a winner that the store holds and nobody here saw come: asked for the value, it does not say it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A batch sorted out: most rows are plain, some keys need a decision, of some the store must be asked."""

    readings: Readings
    plain: NDArray[np.bool_]  # rows sent as they are
    keys: Keys  # of all other rows
    known: Mapping[int, Winner] = field(default_factory=dict)  # those of the keys that are remembered
    spans: Sequence[Span] = ()  # to ask the store
    asked: Sequence[int] = ()  # channel of each span

    @property
    def late(self) -> bool:
        """Whether some of its keys may have been sent before."""
        return bool(self.keys.late.any())


@dataclass(frozen=True, slots=True)
class Choice:
    """What to send of a batch: one row a key."""

    readings: Readings
    lettered: frozenset[int]  # rows that overwrite: they say their letter even if it is N
    duplicates: int = 0
    superseded: int = 0  # different values of one key of which another won
    tracked: dict[Key, Winner] = field(default_factory=dict)  # to remember before the store is written


class Winners:
    """The memory of one store. Blocking; used by one thread at a time."""

    def __init__(self, path: Path, plant: Plant, series: Callable[[int], Series]) -> None:
        """`series(channel)` is where the store keeps a channel."""
        self._path, self._series = path, series
        self._names = [f"{plant.meters[c.meter].name}.{c.name}" for c in plant.channels]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _open(path)
            self._tables = NewestTables(self._db, self._names)
            self._remembered = Contested(self._db, self._names)
        except (OSError, sqlite3.Error) as failure:
            raise EnvironmentFailure(
                f"the writer's memory cannot be opened: {failure}",
                where=str(path),
                mend="check the disk; if the file is damaged, remove it: the log is then written again",
            ) from failure
        self._newest = self._tables.newest

    @property
    def reached(self) -> int:
        """Log position that this memory covers: read on no later than here."""
        return self._tables.reached

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    # --- a batch's way: plan, recall, (ask the store), choose, remember, (write), checkpoint ------------

    def plan(self, readings: Readings) -> Plan:
        """Sort out a batch."""
        late, plain = self._newest.sort_out(readings)
        return Plan(readings, plain, Keys.of(readings, np.flatnonzero(~plain), late))

    def recall(self, plan: Plan) -> Plan:
        """With what is remembered of late keys, and what the store must be asked for. EnvironmentFailure."""
        if not plan.late:
            return plan
        with self._told("read"):
            known = self._remembered.of(plan.keys)
        unknown = plan.keys.late.copy()
        unknown[list(known)] = False
        spans, asked = plan.keys.spans(unknown, self._series)
        return replace(plan, known=known, spans=spans, asked=asked)

    def choose(self, plan: Plan, answers: Sequence[Mapping[int, float | str]] | None) -> Choice:
        """One row a key. `answers`: what the store holds of `plan.spans`; None if it may not be asked."""
        keys, readings = plan.keys, plan.readings
        if not len(keys):
            return Choice(readings, frozenset())
        there, value = keys.held(plan.asked if answers is not None else (), answers or ())
        simple = keys.alone & (readings.rev[keys.first] == 0)
        simple[list(plan.known)] = False
        news = simple & ~there  # nobody else has ever said anything of these
        copies = np.zeros(len(keys), np.bool_)
        maybe = np.flatnonzero(simple & there)
        copies[maybe] = value[maybe] == [float(readings.number(row)) for row in keys.first[maybe].tolist()]
        sent = plan.plain.copy()
        sent[keys.first[news]] = True
        overwriting = keys.first[news & keys.late].tolist() if answers is None else list[int]()
        again: list[tuple[Key, Winner]] = []
        tracked: dict[Key, Winner] = {}
        duplicates, superseded = int(copies.sum()), 0
        for k in np.flatnonzero(~(news | copies)).tolist():
            key, before = (int(keys.channel[k]), int(keys.ts[k])), plan.known.get(k)
            if before is None and there[k]:
                before = Winner(0, repr(float(value[k])).encode(), UNKNOWN, [(0, float(value[k]))])
            winner, row, same, losers = _decide(readings, keys.rows_of(k), before)
            duplicates, superseded = duplicates + same, superseded + losers
            if winner.changed and (winner.rev != 0 or len(winner.seen) > 1):
                tracked[key] = winner
            if row is not None:
                sent[row] = True
                if len(winner.seen) > 1 or (answers is None and keys.late[k]):
                    overwriting.append(row)
            elif (winner.tracked or winner.changed) and winner.letter != UNKNOWN:  # else the store has it as it was
                again.append((key, winner))
        chosen = readings.take(sent)
        places = np.cumsum(sent) - 1  # of a row among those that are sent
        lettered = set(places[overwriting].tolist())
        if again:
            lettered.update(range(len(chosen), len(chosen) + len(again)))
            chosen = Readings.concat([chosen, _as_readings(again, readings)])
        return Choice(chosen, frozenset(lettered), duplicates, superseded, tracked)

    def remember(self, tracked: Mapping[Key, Winner]) -> None:
        """Keep these durably: before the store is written, else a crash would forget who lost. EnvironmentFailure."""
        if tracked:
            with self._told(), self._db:
                self._remembered.keep(tracked)

    def checkpoint(self, position: int) -> None:
        """Everything before `position` is in the store: save how far each channel has come."""
        with self._told(), self._db:
            self._tables.save(position)
        self._tables.saved(position)

    @contextmanager
    def _told(self, doing: str = "written") -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as failure:
            raise EnvironmentFailure(
                f"the writer's memory cannot be {doing}: {failure}", where=str(self._path), mend="see the disk's space"
            ) from failure


def _decide(readings: Readings, rows: list[int], before: Winner | None) -> tuple[Winner, int | None, int, int]:
    """The winner after `rows`, the row that holds it (None: the one before), duplicates, superseded."""
    winner, best, duplicates, superseded = before, None, 0, 0
    for row in rows:
        rev, text = int(readings.rev[row]), readings.number(row)
        this = (rev, float(text))
        if winner is None:
            winner, best = Winner(rev, text, int(readings.letter[row]), [this], changed=True), row
        elif this in winner.seen:
            duplicates += 1
            if winner.letter == UNKNOWN and this == (winner.rev, float(winner.text)):
                winner.letter = int(readings.letter[row])  # here is what the store was given once
        else:
            superseded += 1
            winner.changed = True
            winner.seen.append(this)
            if rev >= winner.rev:
                winner.rev, winner.text, winner.letter = rev, text, int(readings.letter[row])
                best = row
    if winner is None:
        raise AssertionError("BUG: a key without rows")
    return winner, best, duplicates, superseded


def _as_readings(again: Sequence[tuple[Key, Winner]], batch: Readings) -> Readings:
    """Winners of earlier batches, to be sent once more."""
    return Readings.of(
        [channel for (channel, _), _ in again],
        [ts for (_, ts), _ in again],
        [0] * len(again),  # the store takes the text
        rev=[w.rev for _, w in again],
        letter=[w.letter for _, w in again],
        received=[int(batch.received[-1])] * len(again),
        position=[int(batch.position[-1])] * len(again),
        numbers=[w.text for _, w in again],
    )


def _open(path: Path) -> sqlite3.Connection:
    """The memory; a damaged one is put aside: without it the log is written again, which is harmless."""
    for last in (False, True):
        db = sqlite3.connect(path, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(contested.SCHEMA + newest_tables.SCHEMA)
            db.execute("PRAGMA quick_check").fetchall()
        except sqlite3.Error as error:
            db.close()
            if last or not damaged(error):
                raise
            put_aside(path, "the writer's memory", error)
        else:
            break
    return db
