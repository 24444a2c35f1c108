"""`History`: what became known is added, and asked for as it is known now or was known then.

It is derived state: replaying the log writes the same rows again (`INSERT OR IGNORE` by key), so a crash between a
commit here and the scores' cursor costs nothing.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from greengauge.history.delivery import Delivery
from greengauge.history.file import CONSTANT, ROW
from greengauge.history.jobs import Job, Jobs
from greengauge.history.rows import Key, Told, body_of, constant_of, constant_text, key_of, thaw
from greengauge.history.settle import next_revision
from scoring.results import Changes, Emission, Energy, Score

Thing = TypeVar("Thing", Score, Emission, Energy)


class History(Delivery, Jobs):
    """The embedded history."""

    def add(self, changes: Changes) -> None:
        """Keep what became known, all or nothing; what is already kept stays as it is."""
        self._write(lambda: self._add(changes))

    def add_of_job(self, changes: Changes, job: Job) -> None:
        """Keep what a slice of a job made known, and how far `job` says it has come: both or neither."""

        def add() -> None:
            self._add(changes)
            self._come(job, len(changes.scores) + len(changes.emissions) + len(changes.energies))

        self._write(add)

    def settle(self, changes: Changes, *, told_only: bool = False) -> Changes:
        """`scoring.restate.Told`: of what is restated only what differs from what is kept, with its next revision.

        Live and final things pass as they are: `add` keeps the first of each. With `told_only`, what was never told
        as final, or is kept no longer, stays untold.
        """
        return replace(
            changes,
            scores=self._settled(changes.scores, told_only=told_only),
            emissions=self._settled(changes.emissions, told_only=told_only),
            energies=self._settled(changes.energies, told_only=told_only),
        )

    def scores(
        self, scope: str | None, degree: str | None, window: str | None, at: int | None, known_at: int | None
    ) -> list[Score]:
        """The newest known score of each matching series at or before `at`, as known at `known_at`."""
        found = self._newest("degree", (scope, degree, window), at, known_at)
        return [thing for thing in found if isinstance(thing, Score)]

    def emissions(
        self, scope: str | None, pollutant: str | None, average: str | None, at: int | None, known_at: int | None
    ) -> list[Emission]:
        """The newest known emission of each matching series at or before `at`, as known at `known_at`."""
        found = self._newest("emission", (scope, pollutant, average), at, known_at)
        return [thing for thing in found if isinstance(thing, Emission)]

    def energies(self, scope: str | None, window: str | None, at: int | None, known_at: int | None) -> list[Energy]:
        """The newest known specific energy of each matching series at or before `at`, as known at `known_at`."""
        found = self._newest("energy", (scope, None, window), at, known_at)
        return [thing for thing in found if isinstance(thing, Energy)]

    def trend(
        self, kind: str, name: tuple[str, str, str], start: int, end: int, points: int
    ) -> list[tuple[int, float | None]]:
        """At most `points` values of one series with start < ts <= end: the last of each step, newest revision."""
        series = self._series.get((kind, *name))
        step = max(1, -((start - end) // max(1, points)))  # rounded up: never a point too many
        rows = self._all(
            # the bare `value` is that of the row with the maximum; rows stay far below 2**40
            "SELECT ts, value, MAX(revision * 1099511627776 + row) FROM step WHERE series = ? AND ts IN "
            "(SELECT MAX(ts) FROM step WHERE series = ? AND ts > ? AND ts <= ? GROUP BY (ts - ? - 1) / ?) "
            "GROUP BY ts ORDER BY ts",
            (series, series, start, end, start, step),
        )
        return [(ts, value) for ts, value, _ in rows]

    def alarm_events(self, limit: int) -> list[dict[str, Any]]:
        """The newest alarm events, newest first."""
        rows = self._all("SELECT ts, event, body FROM alarm ORDER BY row DESC LIMIT ?", (limit,))
        return [{"ts": ts, "event": event} | json.loads(body) for ts, event, body in rows]

    # --- inside -------------------------------------------------------------------------------------

    def _learn(self) -> None:
        super()._learn()
        self._constants: dict[tuple[Any, ...], int] = {}

    def _add(self, changes: Changes) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO step (series, ts, revision, lifecycle, known_at, value, body, constant) "
            "VALUES (?,?,?,?,?,?,?,?)",
            [*map(self._row, changes.scores), *map(self._row, changes.emissions), *map(self._row, changes.energies)],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO alarm (ts, scope, id, event, body) VALUES (?,?,?,?,?)",
            [(e.ts, e.alarm.scope, e.alarm.id, e.event, json.dumps(e.alarm.to_json())) for e in changes.alarms],
        )

    def _row(self, thing: Told) -> tuple[Any, ...]:
        key = key_of(thing)
        series = self._series.get(key) or self._new_series(key)
        apart = constant_of(thing)
        constant = self._constants.get(apart) or self._new_constant(apart, constant_text(thing))
        return (
            series, thing.ts, thing.revision, thing.lifecycle, thing.known_at, thing.value, body_of(thing), constant,
        )  # fmt: skip

    def _new_series(self, key: Key) -> int:
        made = "INSERT INTO series (kind, a, b, c, fixed) VALUES (?,?,?,?,'{}') RETURNING id"
        self._series[key] = number = int(self._db.execute(made, key).fetchone()[0])
        return number

    def _new_constant(self, apart: tuple[Any, ...], text: str) -> int:
        self._db.execute("INSERT OR IGNORE INTO constant (text) VALUES (?)", (text,))
        found = self._db.execute("SELECT id FROM constant WHERE text = ?", (text,)).fetchone()
        self._constants[apart] = number = int(found[0])
        return number

    def _settled(self, things: Sequence[Thing], *, told_only: bool) -> tuple[Thing, ...]:
        restated = [thing for thing in things if thing.lifecycle == "restated"]
        if not restated:
            return tuple(things)
        kept = self._kept(restated)
        told: list[Thing] = []
        for thing in things:  # one of them may be told, and told again: the later one is compared with the earlier
            if thing.lifecycle != "restated":
                told.append(thing)
                if thing.lifecycle == "final" and (of_key := kept.get(key_of(thing))) is not None:
                    of_key[thing.ts] = of_key[thing.ts] or [thing]
                continue
            rows = kept[key_of(thing)][thing.ts]
            if told_only and all(row.lifecycle == "live" for row in rows):
                continue
            new = next_revision(thing, rows)
            if new is not None:
                told.append(new)
                rows.append(new)
        return tuple(told)

    def _kept(self, things: Sequence[Thing]) -> dict[Key, defaultdict[int, list[Told]]]:
        """Every row of the things' keys, oldest revision first: one statement a series, one look-up a step."""
        asked: dict[Key, list[int]] = defaultdict(list)
        for thing in things:
            asked[key_of(thing)].append(thing.ts)
        found: dict[Key, defaultdict[int, list[Told]]] = {}
        for key, times in asked.items():
            of_key = found[key] = defaultdict(list)
            for row in self._all(
                f"SELECT {CONSTANT}, {ROW} FROM step JOIN series ON series.id = step.series "  # noqa: S608 - our own names
                "WHERE step.series = ? AND ts IN (SELECT value FROM json_each(?)) ORDER BY ts, revision, row",
                (self._series.get(key), json.dumps(times)),
            ):
                of_key[row[1]].append(thaw(key, row[0], row[1:]))
        return found

    def _newest(
        self, kind: str, name: tuple[str | None, str | None, str | None], at: int | None, known_at: int | None
    ) -> Iterator[Told]:
        end = at if at is not None else 2**62
        known = known_at if known_at is not None else 2**62
        with self._lock:
            known_series = sorted(self._series.items())
        for key, series in known_series:
            if key[0] != kind or any(
                wanted is not None and wanted != part for wanted, part in zip(name, key[1:], strict=True)
            ):
                continue
            for row in self._all(
                f"SELECT {CONSTANT}, {ROW} FROM step JOIN series ON series.id = series "  # noqa: S608 - our own names
                "WHERE series = ? AND ts <= ? AND known_at <= ? ORDER BY ts DESC, revision DESC, row DESC LIMIT 1",
                (series, end, known),
            ):
                yield thaw(key, row[0], row[1:])
