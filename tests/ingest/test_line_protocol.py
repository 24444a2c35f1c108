from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from devices.readings import Readings
from ingest import line_protocol as lp
from ingest.lines import Lines
from tests.ingest.small_plant import small_plant

T0 = 1_763_800_000_000
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00\n\r"), min_size=1, max_size=12)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=12),
)


def carriable(text: str) -> bool:
    """Line protocol's own limits, said another way than the code does."""
    pairs = {"\\,", "\\=", "\\ "}
    return not (text.endswith("\\") or any(p in text for p in pairs) or text.startswith("#") or text == "time")


@given(NAMES, st.dictionaries(NAMES, NAMES, max_size=3), st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
def test_points_round_trip_or_are_refused(measurement: str, tags: dict[str, str], fields: dict[str, lp.Value]) -> None:
    """What is written is read back exactly; a name that cannot be carried raises, and nothing else does."""
    fine = all(map(carriable, [measurement, *tags, *tags.values(), *fields])) or measurement == "time"
    try:
        line = lp.point(measurement, tags, fields, T0)
    except ValueError:
        assert not fine or "time" in tags.values()
        return
    assume(measurement != "time")
    series, parts, ts = lp.split(line)
    assert lp.parse_head(series) == (measurement, tags)
    assert int(ts) == T0
    back = dict(map(lp.parse_field, parts))
    assert back == fields
    assert {k: type(v) for k, v in back.items()} == {k: type(v) for k, v in fields.items()}


@pytest.mark.parametrize("name", ["", "a\nb", "a\rb", "a\x00b", "a\\", "a\\,b", "a\\ b", "#a"])
def test_names_that_cannot_be_carried(name: str) -> None:
    """Line ends and backslashes before separators would make another point, so they raise."""
    with pytest.raises(ValueError, match="cannot carry"):
        lp.point("m", {"t": name or "\n"}, {"f": 1.0}, T0)


@pytest.mark.parametrize("v", [math.nan, math.inf, -math.inf])
def test_no_point_holds_nan(v: float) -> None:
    """InfluxDB has no NaN; it must not be sent."""
    with pytest.raises(ValueError, match="no field value"):
        lp.point("m", {}, {"f": v}, T0)


def test_absent_fields_and_tags() -> None:
    """None and empty tags are left out; a point of nothing is a mistake."""
    assert lp.point("m", {"b": "2", "a": "1", "c": ""}, {"x": None, "y": 1}, 5) == b"m,a=1,b=2 y=1i 5"
    with pytest.raises(ValueError, match="without fields"):
        lp.point("m", {}, {"x": None}, 5)


def batch(rows: list[tuple[int, int, bytes]], letters: dict[int, str] | None = None) -> Readings:
    """Readings of (channel, ts, text)."""
    letter = [ord((letters or {}).get(i, "N")) for i in range(len(rows))]
    return Readings.of(
        [c for c, _, _ in rows], [t for _, t, _ in rows], [0] * len(rows), numbers=[n for *_, n in rows], letter=letter
    )


def test_readings_become_points() -> None:
    """Consecutive rows of a meter and time share a point; tags as contracts.md says; digits are copied."""
    rows = [(0, T0, b"340"), (1, T0, b"1.50E1"), (2, T0, b"7"), (3, T0 + 1, b"-0.0"), (0, T0 + 1, b"341.000")]
    got = lp.ReadingEncoder(small_plant()).encode(batch(rows, {3: "D"}))
    assert list(got.lines) == [
        b"reading,area=pyro,enterprise=acme,line=k1,meter=k1-kiln,site=wuhu feed=340,coal=1.50E1 %d" % T0,
        b"reading,area=pyro,enterprise=acme,line=k1,meter=k1-main,site=wuhu kwh=7 %d" % T0,
        b'reading,enterprise=acme,meter=cems1,site=wuhu,stack=tail nox=-0.0,nox_q="D" %d' % (T0 + 1),
        b"reading,area=pyro,enterprise=acme,line=k1,meter=k1-kiln,site=wuhu feed=341.000 %d" % (T0 + 1),
    ]
    assert list(got.first) == [0, 2, 3, 4, 5]


def test_a_channel_twice_is_two_points() -> None:
    """One field never stands twice in a line."""
    got = lp.ReadingEncoder(small_plant()).encode(batch([(0, T0, b"1"), (0, T0, b"2")]))
    assert [line.split()[1] for line in got.lines] == [b"feed=1", b"feed=2"]


def test_an_overwriting_row_says_its_letter() -> None:
    """Else the letter of the reading it replaces would stay beside it."""
    got = lp.ReadingEncoder(small_plant()).encode(batch([(0, T0, b"1")]), lettered={0})
    assert got.lines[0].split()[1] == b'feed=1,feed_q="N"'


def test_hostile_plant_names_are_escaped() -> None:
    """A site called `a, b=c` stays one tag."""
    encoder = lp.ReadingEncoder(small_plant("a, b=c"))
    (line,) = encoder.encode(batch([(0, T0, b"1")])).lines
    assert lp.parse_head(lp.split(line)[0])[1]["site"] == "a, b=c"


def test_no_readings_no_lines() -> None:
    """An empty batch."""
    assert lp.ReadingEncoder(small_plant()).encode(Readings.empty()) == Lines([], [0])
