"""What of the history is delivered elsewhere (InfluxDB), and how it grows old.

`row` numbers rise with insertion: whoever delivers keeps the last row it delivered in `delivered`. A restated step
is a row of its own, so it goes out again by itself, and the store's point says what holds now.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any

from greengauge.history.file import CONSTANT, ROW, HistoryFile
from greengauge.history.rows import Frozen, Told, thaw

QUARTER_MS = 900_000


class Delivery(HistoryFile):
    """The numbered way out."""

    def undelivered(self, limit: int) -> tuple[list[Told], int]:
        """As `frozen`, as what was told."""
        rows, last = self.frozen(limit)
        return [thaw(row.key, row.constant, row[2:]) for row in rows], last

    def frozen(self, limit: int) -> tuple[list[Frozen], int]:
        """The oldest closed steps and blocks not yet delivered, and the row to mark once they are."""
        after = self._delivered("step")
        rows = self._all(
            f"SELECT row, kind, a, b, c, {CONSTANT}, {ROW} "  # noqa: S608 - our own names
            "FROM step JOIN series ON series.id = series WHERE row > ? ORDER BY row LIMIT ?",
            (after, limit),
        )
        return [Frozen(row[1:5], *row[5:]) for row in rows], rows[-1][0] if rows else after

    def undelivered_alarms(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The oldest alarm events not yet delivered, and the row to mark once they are."""
        after = self._delivered("alarm")
        rows = self._all("SELECT row, ts, event, body FROM alarm WHERE row > ? ORDER BY row LIMIT ?", (after, limit))
        return [{"ts": ts, "event": event} | json.loads(body) for _, ts, event, body in rows], rows[-1][
            0
        ] if rows else after

    def pending(self) -> int:
        """How many steps and blocks are not delivered yet."""
        (newest,) = self._all("SELECT MAX(row) FROM step", ())[0]
        return max(0, (newest or 0) - self._delivered("step"))

    def mark_delivered(self, what: str, row: int) -> None:
        """Everything up to `row` of "step" or "alarm" is in the store."""
        self._write(lambda: self._mark(what, row))

    def deliver_again(self, since: int) -> None:
        """What was told at `since` (ms) or later goes out again: the store lost it."""

        def again() -> None:
            for what, time in (("step", "known_at"), ("alarm", "ts")):
                (oldest,) = self._db.execute(f"SELECT MIN(row) FROM {what} WHERE {time} >= ?", (since,)).fetchone()  # noqa: S608 - our own names
                if oldest is not None:
                    self._mark(what, min(self._delivered(what), oldest - 1))

        self._write(again)

    def thin(self, before: int, *, delivered: bool, most: int = 20_000) -> bool:
        """Keep quarter hours only of the next `most` rows with ts < `before`; whether there may be more to look at.

        Hour and day blocks start on quarter hours in every time zone, so none of them goes. With `delivered`,
        what the store has not got yet stays.
        """

        def thin() -> bool:
            done = self._delivered("thinned")
            last = self._delivered("step") if delivered else 2**62
            rows = self._db.execute(
                "SELECT row, ts FROM step WHERE row > ? AND row <= ? ORDER BY row LIMIT ?", (done, last, most)
            ).fetchall()
            old = list(takewhile(lambda found: found[1] < before, rows))
            if not old:
                return False
            self._db.executemany("DELETE FROM step WHERE row = ?", [(row,) for row, ts in old if ts % QUARTER_MS])
            self._mark("thinned", old[-1][0])
            return len(old) == most

        return self._write(thin)

    def end(self, before: int, *, delivered: bool, most: int = 20_000) -> bool:
        """Forget the next `most` steps and alarm events with ts < `before`; whether there may be more.

        A step goes with all its revisions in the end, for they share its time. What an open job still tells anew
        stays, as does, with `delivered`, what the store has not got yet.
        """

        def end() -> bool:
            (opened,) = self._db.execute("SELECT MIN(start) FROM job WHERE NOT done").fetchone()
            until = before if opened is None else min(before, opened)
            left = most - self._forget("alarm", "ts < ?", (until,), most, delivered=delivered)
            for (series,) in self._db.execute("SELECT id FROM series").fetchall():
                if left <= 0:
                    return True
                left -= self._forget("step", "series = ? AND ts < ?", (series, until), left, delivered=delivered)
            return left <= 0

        return self._write(end)

    def _forget(self, what: str, where: str, values: tuple[int, ...], most: int, *, delivered: bool) -> int:
        # the newest row stays in any case: without it SQLite would give its number again, behind the delivery's mark
        (newest,) = self._db.execute(f"SELECT MAX(row) FROM {what}").fetchone()  # noqa: S608 - our own names
        last = min(newest or 0, self._delivered(what) + 1 if delivered else 2**62)
        chosen = f"SELECT row FROM {what} WHERE {where} AND row < ? LIMIT ?"  # noqa: S608 - our own names
        gone = f"DELETE FROM {what} WHERE row IN ({chosen})"  # noqa: S608 - our own names
        return self._db.execute(gone, (*values, last, most)).rowcount

    def _mark(self, what: str, row: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO delivered (what, row) VALUES (?, ?)", (what, row))

    def _delivered(self, what: str) -> int:
        rows = self._all("SELECT row FROM delivered WHERE what = ?", (what,))
        return int(rows[0][0]) if rows else 0
