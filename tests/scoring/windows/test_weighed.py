"""Amounts weighed by laboratory values: the twin's integers whatever the order, the batches, the lateness."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant.model import Channel, Kind, Plant
from devices.plant.values import Lab
from devices.readings import Mark, Readings
from scoring import reference
from scoring.windows.rolling import Rolling
from tests.scoring.plants import HOUR, MINUTE, channel, plant
from tests.scoring.windows.shapes import BASE

MOST = 100  # counts of a laboratory value; beyond it is out of range
MEASURED = (
    channel(Kind.COUNTER, "counter", modulus=1000, rise_max=Fraction(70, MINUTE)),
    channel(Kind.RATE, "rate"),
    channel(Kind.AMOUNT, "instant"),
    channel(Kind.AMOUNT, "quarter", period_ms=15 * MINUTE),
    channel(Kind.LEVEL, "loi", max_gap_ms=50 * MINUTE, low=0, high=MOST),
    channel(Kind.LEVEL, "water", max_gap_ms=95_000, low=0, high=MOST),
    channel(Kind.RATE, "later", source=1, delay_ms=31_234),
)
LOI, WATER = 4, 5
SHARE = Lab(LOI, 0, 1, -1)
DRY = Lab(WATER, MOST, -1, 90)
FINE = Lab(LOI, 0, 10**7, -1)  # with the next one, a product of more than two digits to the base 2**28
DRIEST = Lab(WATER, 10**9, -(10**7), 5 * 10**8)


def weighed(source: int, *labs: Lab, limb: int = 0) -> Channel:
    own = MEASURED[source]
    return channel(own.kind, own.name, source=source, labs=labs, limb=limb, period_ms=own.period_ms)


WEIGHED = (
    weighed(0, SHARE),
    weighed(1, SHARE),
    weighed(2, SHARE, DRY),
    weighed(3, DRY),
    weighed(6, SHARE, DRY),
    *(weighed(1, FINE, DRIEST, limb=limb) for limb in range(3)),
)
ROWS = range(len(MEASURED), len(MEASURED) + len(WEIGHED))
Row = tuple[int, int, int, int]  # channel, ts, value, rev


def works() -> Plant:
    return plant(*MEASURED, *WEIGHED)


PLANT = works()


def rows(minutes: int, most: int = 50) -> st.SearchStrategy[list[Row]]:
    """Few times and values, so that samples, readings and minutes coincide often."""
    ts = st.one_of(
        st.integers(0, minutes).map(lambda m: BASE + m * MINUTE),
        st.integers(0, minutes * MINUTE).map(lambda ms: BASE + ms),
        st.integers(0, minutes).map(lambda m: BASE + m * MINUTE - 1),
    )
    value = st.one_of(st.integers(0, 5).map(lambda v: 20 * v), st.integers(0, 130))
    return st.lists(st.tuples(st.integers(0, WATER), ts, value, st.integers(0, 2)), max_size=most)


def batch(found: list[Row]) -> Readings:
    columns: list[list[int]] = [list(c) for c in zip(*found, strict=True)] or [[], [], [], []]
    mark = [int(Mark.OUT_OF_RANGE) * (c in (LOI, WATER) and v > MOST) for c, _, v, _ in found]
    return Readings.of(columns[0], columns[1], columns[2], rev=columns[3], mark=mark)


def told(rolling: Rolling, start: int, end: int) -> list[tuple[int, int, bool, bool]]:
    sums = rolling.span(start, end)
    return [(sums.total(c), int(sums.covered[c]), bool(sums.estimated[c]), bool(sums.flagged[c])) for c in ROWS]


def true(found: list[Row], start: int, end: int) -> list[tuple[int, int, bool, bool]]:
    sums = reference.span(PLANT, batch(found), start, end)
    return [(s.total, s.covered, bool(s.estimated), bool(s.spikes)) for s in sums[ROWS.start :]]


SPANS = st.tuples(st.integers(-20 * MINUTE, 200 * MINUTE), st.integers(1, 200 * MINUTE)).map(
    lambda s: (BASE + s[0], BASE + s[0] + s[1])
)
WHOLE = st.tuples(st.integers(-200, 300), st.integers(1, 300)).map(
    lambda s: (BASE + s[0] * MINUTE, BASE + (s[0] + s[1]) * MINUTE)
)
quick = settings(max_examples=60, deadline=None)


@quick
@given(rows(180), st.lists(SPANS, min_size=1, max_size=4), st.lists(st.integers(0, 50), max_size=4))
def test_equals_the_twin_however_split(found: list[Row], spans: list[tuple[int, int]], cuts: list[int]) -> None:
    """In any batches, samples before or after what they weigh: exactly the twin's sums and marks."""
    rolling = Rolling(PLANT)
    for a, b in pairwise(sorted({0, len(found), *(c for c in cuts if c < len(found))})):
        rolling.push(batch(found[a:b]))
        rolling.span(*spans[0])  # cells are made, and made anew
    for span in spans:
        assert told(rolling, *span) == true(found, *span)


@quick
@given(rows(180), SPANS, st.integers(0, 200 * MINUTE))
def test_parts_add_up(found: list[Row], span: tuple[int, int], cut: int) -> None:
    """The sum over a span is the sum over its parts, wherever it is cut."""
    rolling = Rolling(PLANT)
    rolling.push(batch(found))
    start, end = span
    middle = min(end, start + cut)
    parts = zip(told(rolling, start, middle), told(rolling, middle, end), strict=True)
    assert [(a[0] + b[0], a[1] + b[1]) for a, b in parts] == [t[:2] for t in told(rolling, start, end)]


@quick
@given(rows(180), st.integers(0, 50), SPANS)
def test_goes_on_from_a_snapshot(found: list[Row], at: int, span: tuple[int, int]) -> None:
    """A snapshot at any point, restored elsewhere, goes on bit-identical."""
    one, other = Rolling(PLANT), Rolling(works())
    one.push(batch(found[:at]))
    other.restore(one.snapshot())
    for rolling in (one, other):
        rolling.push(batch(found[at:]))
    assert told(one, *span) == told(other, *span)


@quick
@given(rows(3 * 24 * 60, most=90), st.lists(WHOLE, min_size=1, max_size=3), st.integers(1, 12))
def test_forgets_only_what_cannot_matter(found: list[Row], spans: list[tuple[int, int]], size: int) -> None:
    """Three days, up to 100 min late, after each batch dropping all that can be: the twin's sums all the same."""
    lag = {ts: ts + (ts * 7919) % (100 * MINUTE) for _, ts, *_ in found}
    found = sorted(found, key=lambda row: lag[row[1]])
    rolling = Rolling(works())
    rolling._channels["keep"] = 110 * MINUTE  # as on a line with a very fast meter
    for at in range(0, len(found), size):
        rolling.push(batch(found[at : at + size]))
        rolling._compact(rolling._channels["count"].nonzero()[0])
    late = max((ts for _, ts, *_ in found), default=BASE)
    for a, b in spans:
        start, end = a + (late - b) // MINUTE * MINUTE, late // MINUTE * MINUTE
        assert told(rolling, start, end) == true(found, start, end)


def test_a_sample_two_hours_late_is_weighed_anew() -> None:
    """100 t/h for three hours; at the end comes that the loss on ignition was 30 from 1:00 on, not 40."""
    rolling = Rolling(PLANT)
    rolling.push(batch([(LOI, BASE, 40, 0), *((1, BASE + m * MINUTE, 100, 0) for m in range(181))]))
    rolling.push(batch([(LOI, BASE + 50 * MINUTE, 40, 0), (LOI, BASE + 100 * MINUTE, 40, 0)]))
    before = rolling.span(BASE, BASE + 3 * HOUR).total(ROWS[1])
    rolling.push(batch([(LOI, BASE + HOUR, 30, 0)]))
    after = rolling.span(BASE, BASE + 3 * HOUR).total(ROWS[1])
    assert before == 100 * 40 * 3 * HOUR
    assert after == before - 100 * 10 * 40 * MINUTE  # from 1:00 to the next sample at 1:40


def test_digits_make_the_product() -> None:
    """The three digits of two fine values are the amount times their product: 7 × 40e7 × (1e9 − 10e7) × 1 min."""
    rolling = Rolling(PLANT)
    found = [(LOI, BASE, 40, 0), (WATER, BASE, 10, 0), (1, BASE, 7, 0)]
    rolling.push(batch(found))
    sums = rolling.span(BASE, BASE + MINUTE)
    whole = sum(sums.total(row) << 28 * limb for limb, row in enumerate(ROWS[5:]))
    assert whole == 7 * MINUTE * (40 * 10**7) * (10**9 - 10 * 10**7)
