"""The ledger against a slow one: every value is counted once, as what became of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest.ledger import COVERED, MINUTE_MS, ROW, Evidence, Ledger, Rows, balanced
from ingest.spool import SHARES, Spool


def rows(*values: tuple[int, int, float], unwritten: int = 0, channel: int = 0) -> Rows:
    """(ts, rev, value) in log order, one a minute; the last `unwritten` ones are not in the store yet."""
    made = np.zeros(len(values), ROW)
    for at, (ts, rev, value) in enumerate(values):
        made[at] = (channel, ts, rev, value, at * MINUTE_MS, at * 100, at >= len(values) - unwritten)
    return made


def judged(of: Rows, held: dict[int, float], refused: tuple[int, ...] = (), seen: object = ()) -> Ledger:
    """The ledger of one channel."""
    ledger = Ledger()
    ledger.add_rows("received", of)
    ledger.judge(0, of, Evidence(held, lambda position: position in refused, lambda _ts: list(seen)))  # type: ignore[call-overload]
    return ledger


def test_each_kind() -> None:
    """Stored, duplicate, superseded by `rev` and by order, unwritten, refused: and the two sides are equal."""
    of = rows(
        (1, 0, 5.0),
        (1, 0, 5.0),
        (2, 1, 7.0),
        (2, 0, 8.0),
        (3, 0, 1.0),
        (3, 0, 2.0),
        (4, 0, 9.0),
        (5, 0, 1.0),
        unwritten=1,
    )
    ledger = judged(of, {1: 5.0, 2: 7.0, 3: 2.0}, refused=(600,))
    assert ledger.total() == {
        "received": 8, "stored": 3, "duplicate": 1, "superseded": 2, "quarantined": 1, "unwritten": 1,
    }  # fmt: skip
    assert not ledger.anomalies()
    assert ledger.minutes[MINUTE_MS] == {"received": 1, "duplicate": 1}


def test_what_is_not_covered_is_named() -> None:
    """A value that the store lacks is missing, another one in its place differs: in its minute, with its position."""
    ledger = judged(rows((1, 0, 5.0), (2, 0, 6.0), (3, 0, 7.0)), {1: 5.0, 3: 7.5})
    assert ledger.total() == {"received": 3, "stored": 1, "missing": 1, "differing": 1}
    assert list(ledger.anomalies()) == [MINUTE_MS, 2 * MINUTE_MS]
    assert [(e.ts, e.value, e.held, e.position) for e in ledger.examples] == [(2, 6.0, None, 100), (3, 7.0, 7.5, 200)]


def test_a_winner_from_beyond_the_rows() -> None:
    """Another value in the store is right where the writer knows of both, or where it waits just behind the cursor."""
    of = rows((1, 0, 5.0))
    assert judged(of, {1: 6.0}, seen=[(0, 5.0), (0, 6.0)]).total() == {"received": 1, "superseded": 1}
    assert judged(of, {1: 6.0}, seen=[(1, 6.0)]).total() == {"received": 1, "differing": 1}
    both = rows((1, 0, 5.0), (1, 0, 6.0), unwritten=1)
    assert judged(both, {1: 6.0}).total() == {"received": 2, "superseded": 1, "unwritten": 1}


def winners(of: list[tuple[int, int, float]]) -> dict[int, float]:
    """Semantics §1, reading by reading."""
    best: dict[int, tuple[int, float]] = {}
    seen: dict[int, set[tuple[int, float]]] = {}
    for ts, rev, value in of:
        known = seen.setdefault(ts, set())
        if (rev, value) in known:
            continue
        known.add((rev, value))
        if ts not in best or rev >= best[ts][0]:
            best[ts] = rev, value
    return {ts: value for ts, (_, value) in best.items()}


READINGS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-1, 2), st.sampled_from([1.0, 2.0, 3.0])), min_size=1, max_size=30
)


@given(READINGS, st.sets(st.integers(0, 4)))
def test_against_a_slow_one(of: list[tuple[int, int, float]], lost: set[int]) -> None:
    """With the winners in the store all is covered, one stored a key; each that the store lost is one missing."""
    right = winners(of)
    total = judged(rows(*of), right).total()
    assert balanced(total)
    assert total["stored"] == len(right)
    assert total["stored"] + total["superseded"] == len({(ts, rev, v) for ts, rev, v in of})
    left = judged(rows(*of), {ts: v for ts, v in right.items() if ts not in lost}).total()
    assert left["missing"] == len(lost & right.keys())
    assert left["received"] == sum(left[kind] for kind in COVERED) + left["missing"]


def test_a_spool_keeps_order_and_channels() -> None:
    """What goes in comes out by channel, in the order in which it went in, also where channels share a file."""
    spool = Spool()
    for ts in range(5):
        for channel in (3, 3 + SHARES, 7):
            spool.put(rows((ts, 0, float(channel)), channel=channel))
    found = {channel: part["ts"].tolist() for channel, part in spool.channels()}
    spool.close()
    assert found == {3: [0, 1, 2, 3, 4], 3 + SHARES: [0, 1, 2, 3, 4], 7: [0, 1, 2, 3, 4]}
