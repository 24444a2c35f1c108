"""What is certainly new: the compiled walk and the sorting agree with looking at each row."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.readings import Readings
from ingest import kernels, newest_tables
from ingest.newest import NEVER, Newest
from ingest.newest_tables import NewestTables

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 12), st.sampled_from([0, 0, 0, 1])), max_size=30)


def one_by_one(rows: list[tuple[int, int, int]], newest: list[int]) -> tuple[list[bool], list[bool]]:
    late = [ts <= newest[channel] for channel, ts, _ in rows]
    keys = [(channel, ts) for channel, ts, _ in rows]
    certain = [
        not was and not rev and keys.count(key) == 1 for was, key, (_, _, rev) in zip(late, keys, rows, strict=True)
    ]
    return late, certain


@pytest.mark.parametrize("compiled", [False, True])
@settings(deadline=None)  # the first one loads the kernels
@given(batches=st.lists(ROWS, max_size=4))
def test_certain_and_late(batches: list[list[tuple[int, int, int]]], *, compiled: bool) -> None:
    """Over several batches, with repeated, late and revised rows; and what it remembers is each channel's newest."""
    assert kernels.wait()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "ready", lambda: compiled)
        found, newest = Newest(4), [NEVER] * 4
        for rows in batches:
            readings = Readings.of(
                [c for c, _, _ in rows], [t for _, t, _ in rows], [0] * len(rows), rev=[r for _, _, r in rows]
            )
            late, certain = found.sort_out(readings)
            assert (late.tolist(), certain.tolist()) == one_by_one(rows, newest)
            for channel, ts, _ in rows:
                newest[channel] = max(newest[channel], ts)
            assert found.ts.tolist() == newest


def test_moved() -> None:
    """Only channels that had a reading since they were saved are saved again."""
    found = Newest(3)
    found.sort_out(Readings.of([2, 0], [5, 6], [0, 0]))
    assert found.moved() == [0, 2]
    found.saved()
    found.sort_out(Readings.of([1], [7], [0]))
    assert found.moved() == [1]
    assert np.array_equal(found.ts, [6, 7, 5])


def test_names_that_change(tmp_path: Path) -> None:
    """Times follow their channels' names over new registries, also those of a channel that was away for a while."""
    db = sqlite3.connect(tmp_path / "db")
    db.executescript(newest_tables.SCHEMA)
    many = [f"m.{k}" for k in range(1300)]

    def turn(names: list[str], *given: tuple[int, int]) -> NewestTables:
        tables = NewestTables(db, names)
        tables.newest.sort_out(Readings.of([c for c, _ in given], [t for _, t in given], [0] * len(given)))
        with db:
            tables.save(7)
        tables.saved(7)
        return tables

    turn(many, (0, 10), (512, 20), (1299, 30))
    again = NewestTables(db, many)
    assert (again.reached, np.flatnonzero(again.newest.ts != NEVER).tolist()) == (7, [0, 512, 1299])
    assert turn(["new", *many[1:]], (1, 5)).newest.ts[[0, 1, 512, 1299]].tolist() == [NEVER, 5, 20, 30]
    assert turn([many[1299], many[0], "other"]).newest.ts.tolist() == [30, 10, NEVER]
    assert NewestTables(db, many).newest.ts[[0, 1, 512, 1299]].tolist() == [10, 5, 20, 30]
