"""`Quarantine`: rejects on disk, in one bounded SQLite file beside the log.

Invariant: a reject that was added is counted once in `counts()`, however often it is added again, also where
its message stands twice in the log because the broker sent it twice (DUP, same topic and payload). At the
byte quota payloads go, oldest first; at the row quota whole rows; the counts with their first and last
log position stay, and the log still has the frames.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from devices.errors import ConfigurationError
from devices.foreign import printable
from ingest.decode.result import Reject
from ingest.derived import damaged, put_aside
from ingest.quarantine import file, resolving, sequences, tables
from ingest.quarantine.counts import Fill, PendingName
from ingest.quarantine.resolving import Retried

T = TypeVar("T")

OTHER = "(other topics)"
"""Counted here once there are too many different ones."""


class Quarantine:
    """The quarantine of one data folder. One writer; any number of read-only ones beside it, at any time.

    payload_quota  bytes of payload prefixes kept
    row_quota      rejects kept with their words
    most_topics    different (reason, topic) pairs counted one by one
    most_names     different pending names kept
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        payload_quota: int = 64 << 20,
        row_quota: int = 100_000,
        most_topics: int = 10_000,
        most_names: int = 10_000,
    ) -> None:
        self._path, self._payload_quota, self._row_quota = path, payload_quota, row_quota
        self._most_topics, self._most_names = most_topics, most_names
        self._lock = threading.Lock()  # a thread pool may carry the calls of one owner
        if read_only and not path.is_file():
            raise ConfigurationError("there is no quarantine here", where=str(path), mend="check --data")
        self._read_only = read_only
        self.renewed = False
        """The file is new, for the first time or because it was damaged: tell it all that the log has."""
        with self._lock:
            self._try(self._start)

    def add(self, rejects: Sequence[Reject]) -> int:
        """Keep these durably, in log order; those already kept change nothing. Returns how many are new."""
        with self._lock:
            return self._try(lambda: self._add(rejects))

    def _add(self, rejects: Sequence[Reject]) -> int:
        with self._db:
            fresh = [r for r in rejects if not self._again(r) and self._db.execute(tables.ADD, _row(r)).rowcount == 1]
            if not fresh:
                return 0
            self._db.executemany(tables.TALLY, [self._tally(r) for r in fresh])
            self._db.executemany(tables.PENDING, list(self._pending(fresh)))
            kept = sum(len(r.payload) for r in fresh)
            self._db.execute("UPDATE total SET rows = rows + ?, bytes = bytes + ?", (len(fresh), kept))
            self._forget()
        return len(fresh)

    def _again(self, r: Reject) -> bool:
        if not r.redelivered:
            return False
        same = (r.topic, r.size, r.item, r.reason, r.position, r.payload)
        return self._db.execute(tables.AGAIN, same).fetchone() is not None

    def resolve(self, retried: Sequence[Retried], at: int) -> None:
        """The command at log position `at` let these in: they wait no longer, or for the names left only. Durable;
        done again it changes nothing.
        """
        with self._lock:
            self._try(lambda: resolving.resolve(self._db, retried, at, OTHER))

    def retried(self, position: int) -> Sequence[tuple[int, str, int]]:
        """(item, reason, position of the command) of what was let in of the frame at this position."""
        found = self._ask("SELECT item, reason, at FROM retried WHERE position = ? ORDER BY at", position)
        return [(item, reason, at) for item, reason, at in found]

    def forget_retried(self, before: int) -> None:
        """What commands before this log position let in: log and commands are gone, so nobody asks or repeats it."""
        with self._lock:
            self._try(lambda: resolving.forget(self._db, before))

    def waiting(self) -> Sequence[dict[str, Any]]:
        """Every reject kept, in log order: as `list`, with `names` and the payload's bytes (None once forgotten)."""
        query = f"SELECT {_LISTED}, names, payload FROM reject ORDER BY position, item"  # noqa: S608 - fixed names
        return [_object(row[:-2]) | {"names": json.loads(row[-2]), "payload": row[-1]} for row in self._ask(query)]

    def follow(self, numbers: Mapping[str, Sequence[int]], end: int) -> dict[str, int]:
        """Take in meters' `seq`s in log order, up to the position `end`; meter -> how many are missing among them.

        Durable, and counted once if whoever reads the log goes on from `followed`.
        """
        with self._lock:
            return self._try(lambda: sequences.take(self._db, numbers, end))

    @property
    def followed(self) -> int:
        """The log position up to which sequences are counted; 0 before the first."""
        return int((self._ask("SELECT max(position) FROM followed")[0][0]) or 0)

    def missing(self) -> dict[str, int]:
        """Meter -> messages that its sequence numbers say never came."""
        return dict(self._ask("SELECT meter, missing FROM sequence WHERE missing > 0 ORDER BY meter"))

    def numbered(self) -> set[str]:
        """The meters that count their messages."""
        return {name for (name,) in self._ask("SELECT meter FROM sequence")}

    def has(self, rejects: Sequence[Reject]) -> dict[tuple[int, int, str], int | None]:
        """(position, item, reason) of those of the rejects that are kept → the values that wait with them; None for
        those that came before the oldest kept one, where some had to be forgotten.
        """
        ((oldest,),) = self._ask("SELECT position FROM reject ORDER BY id LIMIT 1") or ((None,),)
        gone = self.fill().rows_gone > 0
        found: dict[tuple[int, int, str], int | None] = {}
        for r in rejects:
            key = r.position, r.item, r.reason
            row = self._ask("SELECT lost FROM reject WHERE position = ? AND item = ? AND reason = ?", *key)
            if row:
                found[key] = row[0][0]
            elif gone and (oldest is None or r.position < oldest):
                found[key] = None
        return found

    def list(
        self,
        limit: int | None = 100,
        *,
        outcome: str | None = None,
        reason: str | None = None,
        topic: str | None = None,
    ) -> Sequence[dict[str, Any]]:
        """The newest `limit` rejects that fit the filters, in log order: the objects of `quarantine list --json`."""
        wanted = [(f"{key} = ?", v) for key, v in (("outcome", outcome), ("reason", reason), ("topic", topic)) if v]
        where = f"WHERE {' AND '.join(clause for clause, _ in wanted)}" if wanted else ""
        query = f"SELECT {_LISTED} FROM reject {where} ORDER BY position DESC, item DESC LIMIT ?"  # noqa: S608 - fixed names
        found = self._ask(query, *(value for _, value in wanted), -1 if limit is None else limit)
        return [_object(row) for row in reversed(found)]

    def show(self, position: int) -> Sequence[dict[str, Any]]:
        """Everything rejected of the frame at this log position, with `values`, `names` and the payload as text."""
        query = f"SELECT {_LISTED}, lost, names, payload FROM reject WHERE position = ? ORDER BY item, id"  # noqa: S608
        return [
            _object(row[:-3])
            | {
                "values": row[-3],
                "names": json.loads(row[-2]),
                "payload": None if row[-1] is None else printable(row[-1].decode("utf-8", "backslashreplace")),
            }
            for row in self._ask(query, position)
        ]

    def reasons(self) -> dict[str, int]:
        """Messages rejected for each reason."""
        return dict(self._ask("SELECT reason, SUM(messages) FROM tally GROUP BY reason ORDER BY reason"))

    def pending(self) -> tuple[PendingName, ...]:
        """The names that await approval, the most frequent first."""
        return tuple(PendingName(*row) for row in self._ask("SELECT * FROM pending ORDER BY messages DESC, name"))

    def fill(self) -> Fill:
        """How full it is, and what has been forgotten for that."""
        ((rows, size, _, payloads_gone, rows_gone, refused),) = self._ask("SELECT * FROM total")
        nearer = max(rows / self._row_quota, size / self._payload_quota)
        gone = payloads_gone or rows_gone
        return Fill(rows, size, payloads_gone, rows_gone, refused, max(nearer, 1.0) if gone else nearer)

    @classmethod
    def open_read_only(cls, path: Path) -> Self:
        """The quarantine of a data folder, beside the running service or without one."""
        return cls(path, read_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    def _ask(self, query: str, *values: Any) -> Any:
        with self._lock:
            return self._try(lambda: self._db.execute(query, values).fetchall())

    def _tally(self, r: Reject) -> tuple[Any, ...]:
        key = (r.reason, r.topic, r.outcome)
        if key not in self._topics and len(self._topics) >= self._most_topics:
            key = (r.reason, OTHER, r.outcome)
        self._topics.add(key)
        return (*key, 1, r.values, r.position, r.position, r.received)

    def _pending(self, rejects: Iterable[Reject]) -> Iterator[tuple[str, int, int, int]]:
        for r in rejects:
            for name in r.names:
                if name in self._names or len(self._names) < self._most_names:
                    self._names.add(name)
                    yield name, 1, r.received, r.received
                else:
                    self._db.execute("UPDATE total SET names_refused = names_refused + 1")

    def _forget(self) -> None:
        """Come back under the quotas, oldest first."""
        ((rows, size, after, *_),) = self._db.execute("SELECT * FROM total").fetchall()
        if rows > self._row_quota:
            gone = rows - self._row_quota
            freed = self._db.execute(
                "DELETE FROM reject WHERE id IN (SELECT id FROM reject ORDER BY id LIMIT ?) RETURNING length(payload)",
                (gone,),
            ).fetchall()
            lost = sum(length or 0 for (length,) in freed)
            size -= lost
            self._db.execute(
                "UPDATE total SET rows = rows - ?, bytes = ?, rows_gone = rows_gone + ?", (gone, size, gone)
            )
        if size > self._payload_quota:
            going: list[int] = []
            held = "SELECT id, length(payload) FROM reject WHERE id > ? AND payload NOTNULL ORDER BY id"
            for row, length in self._db.execute(held, (after,)):
                going.append(row)
                size -= length
                if size <= self._payload_quota:
                    break
            self._db.execute("UPDATE reject SET payload = NULL WHERE id > ? AND id <= ?", (after, going[-1]))
            self._db.execute(
                "UPDATE total SET bytes = ?, payload_from = ?, payloads_gone = payloads_gone + ?",
                (size, going[-1], len(going)),
            )

    def _start(self) -> None:
        self.renewed = self.renewed or not self._path.exists() or self._path.stat().st_size == 0
        self._db = file.opened(self._path, read_only=self._read_only)
        self._topics = set(self._db.execute("SELECT reason, topic, outcome FROM tally"))
        self._names = {name for (name,) in self._db.execute("SELECT name FROM pending")}

    def _try(self, work: Callable[[], T]) -> T:
        """Work on the file; a damaged one is put aside, and the work done on a new one."""
        try:
            return work()
        except sqlite3.Error as error:
            if self._read_only or not damaged(error):
                raise file.failed(self._path, error) from error
            if hasattr(self, "_db"):
                self._db.close()
            put_aside(self._path, "the quarantine", error)
        try:
            self._start()
            return work()
        except sqlite3.Error as error:
            raise file.failed(self._path, error) from error


def _row(r: Reject) -> tuple[Any, ...]:
    return (
        *(r.position, r.item, r.reason, r.received, r.topic, r.outcome, r.cause, r.where, r.mend),
        *(r.size, r.payload, r.values, json.dumps(r.names)),
    )


_LISTED = "position, received, topic, reason, size, outcome, item, cause, place, mend"


def _object(row: tuple[Any, ...]) -> dict[str, Any]:
    names = _LISTED.replace("place", "where").split(", ")
    return dict(zip(names, row, strict=True))
