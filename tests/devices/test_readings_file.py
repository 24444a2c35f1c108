"""Readings files become `Readings`, or a mistake with its line."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.errors import ConfigurationError, EnvironmentFailure
from devices.plant.model import Kind, Plant
from devices.readings import Mark, Readings
from devices.readings_file import read
from devices.ruler import Ruler
from tests.plants import channel, plant


@pytest.fixture(scope="module")
def kiln() -> Plant:
    """A rate with a range, a counter in thirds, a derived channel."""
    return plant(
        {
            "kiln": [
                channel("feed", kind=Kind.RATE, step=Fraction(1, 1000), low=0, high=500_000),
                channel("clinker", kind=Kind.RATE, source=0),
            ],
            "coal": [channel("coal", field="TOT_1", kind=Kind.COUNTER, step=Fraction(1, 3))],
        }
    )


def rows(tmp_path: Path, plant: Plant, text: str | bytes, **options: int) -> Readings:
    """The whole file as one batch."""
    path = tmp_path / "readings"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Readings.concat(list(read(path, plant, **options)))


CSV = """ts,meter,channel,value
0,kiln,feed,340
240000,kiln,feed,350.5
120000,coal,coal,1
1200000,kiln,feed,-1
"""


def test_csv(tmp_path: Path, kiln: Plant) -> None:
    """Every column of the batch is what the file says; the receive time is the greatest ts so far."""
    got = rows(tmp_path, kiln, CSV)
    assert got.channel.tolist() == [0, 0, 2, 0]
    assert got.ts.tolist() == [0, 240_000, 120_000, 1_200_000]
    assert got.value.tolist() == [340_000, 350_500, 3, 0]
    assert got.mark.tolist() == [0, 0, 0, Mark.OUT_OF_RANGE]
    assert got.received.tolist() == [0, 240_000, 240_000, 1_200_000]
    assert got.position.tolist() == [2, 3, 4, 5]
    assert [got.number(k) for k in range(4)] == [b"340", b"350.5", b"1", b"-1"]
    assert got.letter.tolist() == [ord("N")] * 4
    assert got.rev.tolist() == [0] * 4


def test_all_columns_in_any_order(tmp_path: Path, kiln: Plant) -> None:
    """Columns are found by name; an empty cell is the default; receive times never go back."""
    text = "q,value,rev,received,channel,meter,ts\nS,1.5,2,70,feed,kiln,50\n,2.5,,,feed,kiln,80\nM,3,-1,75,feed,kiln,60"
    got = rows(tmp_path, kiln, text)
    assert got.letter.tobytes() == b"SNM"
    assert got.rev.tolist() == [2, 0, -1]
    assert got.received.tolist() == [70, 80, 80]
    assert got.ts.tolist() == [50, 80, 60]
    assert got.value.tolist() == [1500, 2500, 3000]


def test_ndjson(tmp_path: Path, kiln: Plant) -> None:
    """The same names as NDJSON give the same; numbers keep their text."""
    lines = [
        '{"ts": 0, "meter": "kiln", "channel": "feed", "value": 340.50}',
        '{"value": 1e2, "q": "S", "rev": 3, "channel": "feed", "meter": "kiln", "ts": "1970-01-01T00:00:01Z"}',
        "",
        '{"ts": 500, "meter": "kiln", "channel": "feed", "value": 7, "received": 2000, "q": null}',
    ]
    got = rows(tmp_path, kiln, "\n".join(lines))
    assert got.value.tolist() == [340_500, 100_000, 7000]
    assert got.number(0) == b"340.50"
    assert got.ts.tolist() == [0, 1000, 500]
    assert got.received.tolist() == [0, 1000, 2000]
    assert got.letter.tobytes() == b"NSN"
    assert got.rev.tolist() == [0, 3, 0]
    assert got.position.tolist() == [1, 2, 4]


@pytest.mark.parametrize("batch_bytes", [1, 30, 1 << 20])
def test_batches_and_gzip(tmp_path: Path, kiln: Plant, batch_bytes: int) -> None:
    """However it is cut, and packed or not, the rows are the same."""
    plain, packed = (
        rows(tmp_path, kiln, CSV),
        rows(tmp_path, kiln, gzip.compress(CSV.encode()), batch_bytes=batch_bytes),
    )
    for name in ("channel", "ts", "value", "received", "position", "mark"):
        assert np.array_equal(getattr(plain, name), getattr(packed, name))


def test_blank_lines_alone(tmp_path: Path, kiln: Plant) -> None:
    """A file of a head and nothing has no readings and no mistake."""
    assert len(rows(tmp_path, kiln, "ts,meter,channel,value\n\n\n\n")) == 0


def test_times_with_zone(tmp_path: Path, kiln: Plant) -> None:
    """RFC 3339 with a zone is milliseconds."""
    text = "ts,meter,channel,value\n2026-01-01T00:00:00+08:00,kiln,feed,1\n2025-12-31T16:00:00.250Z,kiln,feed,1\n"
    assert rows(tmp_path, kiln, text).ts.tolist() == [1_767_196_800_000, 1_767_196_800_250]


def test_odd_but_fine(tmp_path: Path, kiln: Plant) -> None:
    """A byte-order mark, CRLF, blank lines, quotes and a missing last newline are taken."""
    text = b'\xef\xbb\xbf"ts",meter,channel,value\r\n\r\n1,"kiln",feed,"2"\r\n2,kiln,"feed",3'
    got = rows(tmp_path, kiln, text)
    assert got.value.tolist() == [2000, 3000]
    assert got.position.tolist() == [3, 4]
    assert len(rows(tmp_path, kiln, "ts,meter,channel,value\n")) == 0


HEAD = "ts,meter,channel,value,received,rev,q\n1,kiln,feed,1,,,\n"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "empty"),
        ("\n", 1, "empty"),
        ("1,kiln,feed,340\n", 1, 'column "1" is not known'),
        ("ts,meter,value\n", 1, '"channel" is missing'),
        ("ts,ts,meter,channel,value\n", 1, "twice"),
        (HEAD + "2,kilm,feed,1,,,\n", 3, 'meter "kilm" is not in the registry'),
        (HEAD + "2,kiln,fed,1,,,\n", 3, 'no channel "fed"'),
        (HEAD + "2,kiln,clinker,1,,,\n", 3, "derived"),
        (HEAD + "2,kiln,feed,,,,\n", 3, "not a number"),
        (HEAD + "9223372036854775807,kiln,feed,1,,,\n", 3, "not in the years"),
        (HEAD + "1763800020000000,kiln,feed,1,,,\n", 3, "not in the years"),
        (HEAD + "2,kiln,feed,NaN,,,\n", 3, '"NaN" is not a number'),
        (HEAD + "2,kiln,feed,1_0,,,\n", 3, "not a number"),
        (HEAD + "2,kiln,feed," + "9" * 500 + ",,,\n", 3, "not a number"),
        (HEAD + "2,kiln,feed,1\n", 3, "4 columns where the first line names 7"),
        (HEAD + "\n2,kiln,feed,1,,,,\n", 4, "8 columns"),
        (HEAD + ",kiln,feed,1,,,\n", 3, 'ts "" is not a time'),
        (HEAD + "1_0,kiln,feed,1,,,\n", 3, "not a time"),
        (HEAD + "1.5,kiln,feed,1,,,\n", 3, "not a time"),
        (HEAD + "9223372036854775808,kiln,feed,1,,,\n", 3, "not a time"),
        (HEAD + "2026-01-01T00:00:00,kiln,feed,1,,,\n", 3, "zone"),
        (HEAD + "2,kiln,feed,1,x,,\n", 3, 'received "x"'),
        (HEAD + "2,kiln,feed,1,,1.5,\n", 3, 'rev "1.5"'),
        (HEAD + "2,kiln,feed,1,,,X\n", 3, 'q "X"'),
        (HEAD + "2,kiln,fe\0ed,1,,,\n", 3, "zero byte"),
        (HEAD + "2,ki\x1bln,feed,1,,,\n", 3, "ki\\x1bln"),
        ('{"ts": 1}\n', 1, "meter is missing"),
        ('{"ts": 1, "meter": "kiln", "channel": "feed", "value": "1"}\n', 1, "value is not a number"),
        ('{"ts": 1, "meter": "kiln", "channel": "feed", "value": NaN}\n', 1, "value is not a number"),
        ('{"ts": 1, "meter": "kiln", "channel": "feed", "value": 1, "vale": 1}\n', 1, '"vale" is not known'),
        ('{"ts": 1, "meter": "kiln", "channel": "feed", "value": 1}\n{"ts": 1\n', 2, "not JSON"),
        ('{"ts": 1, "ts": 1}\n', 1, "different keys"),
        ('{"a": ' + "[" * 100_000 + "\n", 1, "not JSON"),
    ],
)
def test_mistakes(tmp_path: Path, kiln: Plant, text: str, line: int, said: str) -> None:
    """Each mistake names the file, the line, the cause and a mend."""
    with pytest.raises(ConfigurationError) as told:
        rows(tmp_path, kiln, text)
    assert told.value.where == f"{tmp_path / 'readings'}:{line}"
    assert said in told.value.cause
    assert told.value.mend
    assert str(told.value).isprintable()


def test_files_that_cannot_be_read(tmp_path: Path, kiln: Plant) -> None:
    """A missing file, a folder and a damaged gzip are told, not thrown."""
    with pytest.raises(ConfigurationError, match="no such"):
        list(read(tmp_path / "none.csv", kiln))
    with pytest.raises(EnvironmentFailure):
        list(read(tmp_path, kiln))
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode() * 100)[:-20])
    with pytest.raises(ConfigurationError, match="damaged"):
        list(read(path, kiln))


NUMBER = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-1000, max_value=1000).map(str),
    st.from_regex(r"\A-?(0|[1-9]\d{0,20})(\.\d{1,9})?([eE][+-]?\d{1,3})?\Z").filter(str.isascii),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10**13), st.sampled_from([("kiln", "feed"), ("coal", "coal")]), NUMBER)))
def test_columns_equal_single_readings(
    tmp_path: Path, kiln: Plant, items: list[tuple[int, tuple[str, str], str]]
) -> None:
    """CSV and NDJSON give, row by row, what the ruler of the channel says of one number."""
    text = "ts,meter,channel,value\n" + "".join(f"{ts},{m},{c},{v}\n" for ts, (m, c), v in items)
    lines = [f'{{"ts": {ts}, "meter": {json.dumps(m)}, "channel": "{c}", "value": {v}}}\n' for ts, (m, c), v in items]
    expected = [Ruler(kiln.channel(m, c)).read(v) for _, (m, c), v in items]
    for form in [text, *(["".join(lines)] if lines else [])]:
        got = rows(tmp_path, kiln, form)
        assert list(zip(got.value.tolist(), got.mark.tolist(), strict=True)) == expected
        assert got.ts.tolist() == [ts for ts, _, _ in items]
