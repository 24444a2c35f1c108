"""Every sum is a function of the winning readings, and equals the twin's to the last step and millisecond."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant.model import Plant
from devices.readings import Readings
from scoring import reference
from scoring.windows.rolling import Rolling
from scoring.windows.sums import CoverageGroup
from tests.scoring.plants import HOUR, MINUTE
from tests.scoring.windows.shapes import BASE, GROUPS, Row, batch, rows, shapes

PLANT = shapes()
SPANS = st.tuples(st.integers(-20 * MINUTE, 300 * MINUTE), st.integers(1, 200 * MINUTE)).map(
    lambda s: (BASE + s[0], BASE + s[0] + s[1])
)
WHOLE = st.tuples(st.integers(-200, 300), st.integers(1, 300)).map(
    lambda s: (BASE + s[0] * MINUTE, BASE + (s[0] + s[1]) * MINUTE)
)
quick = settings(max_examples=60, deadline=None)


def told(rolling: Rolling, start: int, end: int, groups: int = len(GROUPS)) -> list[object]:
    """All that the rolling sums say about a span."""
    sums = rolling.span(start, end)
    totals = [
        (sums.total(c), int(sums.covered[c]), int(sums.estimated[c]), int(sums.flagged[c]))
        for c in range(len(sums.high))
    ]
    flags = rolling.flags(start, end)
    assert all(flags.values())
    return [
        totals,
        [flags.get(c, {}) for c in range(len(totals))],
        [rolling.coverage(g, start, end) for g in range(groups)],
    ]


def true(
    plant: Plant, readings: Readings, start: int, end: int, groups: tuple[CoverageGroup, ...] = GROUPS
) -> list[object]:
    """All that the twin says about it."""
    sums = reference.span(plant, readings, start, end)
    marks = ("spikes", "resets", "bad_rises", "out_of_range", "letters")
    totals = [(s.total, s.covered, s.estimated, sum(getattr(s, m) for m in marks)) for s in sums]
    flags = [
        {
            name: value
            for name, value in {
                **{m: getattr(s, m) for m in marks},
                "estimated_ms": s.estimated,
                "conflicts": s.conflicts,
            }.items()
            if value
        }
        for s in sums
    ]
    return [totals, flags, [reference.coverage(plant, readings, g, start, end) for g in groups]]


@quick
@given(rows(180), st.lists(st.one_of(SPANS, WHOLE), min_size=1, max_size=4), st.lists(st.integers(0, 60), max_size=4))
def test_equals_the_twin_however_split(found: list[Row], spans: list[tuple[int, int]], cuts: list[int]) -> None:
    """Any batches, any span to the millisecond: exactly the twin's sums, flags and joint coverage."""
    rolling = Rolling(PLANT, GROUPS)
    places = sorted({0, len(found), *(c for c in cuts if c < len(found))})
    for a, b in pairwise(places):
        rolling.push(batch(found[a:b]))
        rolling.span(*spans[0])  # cells are made and made anew
    for span in spans:
        assert told(rolling, *span) == true(PLANT, batch(found), *span)


@quick
@given(rows(180), WHOLE, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(found: list[Row], span: tuple[int, int], random: object) -> None:
    """Permuted (conflicts told apart by rev) and repeated readings give bit-identical sums."""
    by_key = {(c, ts, rev): row for row in found for c, ts, _, rev, _, _ in [row]}
    once = list(by_key.values())
    mixed = once + once[::2]
    random.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis' random
    straight, shuffled = Rolling(PLANT, GROUPS), Rolling(PLANT, GROUPS)
    straight.push(batch(once))
    for row in mixed:
        shuffled.push(batch([row]))
        if random.random() < 0.2:  # type: ignore[attr-defined]
            shuffled.coverage(0, *span)
    assert told(straight, *span) == told(shuffled, *span)
    assert shuffled.duplicates == len(once[::2]) + sum(1 for r in once[::2] for _ in range(_heirs(r[0])))


def _heirs(channel: int) -> int:
    return {0: 1, 3: 1}.get(channel, 0)


@quick
@given(rows(180), st.integers(0, 60), WHOLE)
def test_goes_on_from_a_snapshot(found: list[Row], at: int, span: tuple[int, int]) -> None:
    """A snapshot at any point, restored elsewhere, goes on bit-identical."""
    one, other = Rolling(PLANT, GROUPS), Rolling(PLANT, GROUPS)
    one.push(batch(found[:at]))
    other.restore(one.snapshot())
    for rolling in (one, other):
        rolling.push(batch(found[at:]))
    assert told(one, *span) == told(other, *span)
    state, again = one.snapshot(), other.snapshot()
    assert all((state[name] == again[name]).all() for name in state)


@quick
@given(rows(5 * 24 * 60, most=120), st.lists(WHOLE, min_size=1, max_size=3), st.integers(1, 12))
def test_forgets_only_what_cannot_matter(found: list[Row], spans: list[tuple[int, int]], size: int) -> None:
    """Five days, nearly in order, dropping all that can be dropped after each batch: the twin's sums all the same."""
    lag = {ts: ts + (ts * 7919) % (100 * MINUTE) for _, ts, *_ in found}  # up to 100 min late
    found = sorted(found, key=lambda row: lag[row[1]])
    rolling = Rolling(shapes(), GROUPS)
    rolling._channels["keep"] = 110 * MINUTE  # as on a line with a very fast meter
    for at in range(0, len(found), size):
        rolling.push(batch(found[at : at + size]))
        rolling._compact(rolling._channels["count"].nonzero()[0])
    late = BASE + max((ts for _, ts, *_ in found), default=0) - BASE
    for a, b in spans:
        start, end = a + (late - b) // MINUTE * MINUTE, late // MINUTE * MINUTE
        assert told(rolling, start, end)[:2] == true(PLANT, batch(found), start, end)[:2]
    assert rolling.late == 0


def test_a_group_needs_its_channels_at_once() -> None:
    """Two channels that take turns cover nothing together."""
    turns = [(3, BASE + 10 * m * MINUTE, 5, 0, 78, 0) for m in range(6)]
    turns += [(0, BASE + (10 * m + 5) * MINUTE, m, 0, 78, 0) for m in range(6)]
    rolling = Rolling(PLANT, GROUPS)
    rolling.push(batch(turns))
    assert rolling.coverage(0, BASE, BASE + 60 * MINUTE) == (0, 60 * MINUTE)


@quick
@given(st.sampled_from([0, 1, 2]), st.lists(st.integers(0, 9), max_size=14))
def test_a_counter_read_one_by_one_equals_the_twin(shape: int, values: list[int]) -> None:
    """Spikes found late reach back as far as they must: each reading settled before the next comes."""
    readings = [(shape, BASE + i * MINUTE, 3 * v, 0, 78, 0) for i, v in enumerate(values)]
    rolling = Rolling(PLANT, GROUPS)
    for i in range(len(readings)):
        rolling.push(batch(readings[i : i + 1]))
        span = BASE, BASE + (i + 1) * MINUTE
        assert told(rolling, *span)[:2] == true(PLANT, batch(readings[: i + 1]), *span)[:2]


def test_a_long_fall_that_recovers_is_all_spikes() -> None:
    """Each reading of the fall has a bad pair, and once the counter is back, neighbours that make a good one."""
    rolling = Rolling(PLANT, GROUPS)
    for i, value in enumerate((100, 99, 98, 97, 96, 101)):
        rolling.push(batch([(2, BASE + i * MINUTE, value, 0, 78, 0)]))
        rolling.span(BASE, BASE + HOUR)
    assert rolling.span(BASE, BASE + HOUR).total(2) == 1
    assert rolling.flags(BASE, BASE + HOUR)[2] == {"spikes": 4, "estimated_ms": 5 * MINUTE}
