import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import ConfigurationError
from devices.simulator import feed_map
from devices.simulator.feed import Fed, _open, _rows, number, speed_of

HEAD = 'meter = "plant/acme/wuhu/pyro/k1/m1"\n'
TIME = 'time = { column = "date", format = "%d/%m/%Y %H:%M", zone = "Asia/Seoul" }\n'
KWH = '[[channel]]\ncolumn = "kWh"\nchannel = "kwh"\n'


def rows(tmp_path: Path, toml: str, text: str, *, zipped: bool = False) -> tuple[list[str], Fed]:
    (tmp_path / "map.toml").write_text(toml)
    file = tmp_path / "data.csv"
    file.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    done = Fed()
    with _open(file) as lines:
        chosen = feed_map.load(tmp_path / "map.toml")
        return [payload for _, m in _rows(lines, chosen, file, done) for _, payload in m], done


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("3.17", "3.17"),
        ("0", "0"),
        ("0.00", "0.00"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007.50", "7.50"),
        ("+3", "3"),
        ("-0", "-0"),
        ("1e-3", "1e-3"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.10"),
        ("", None),
        (".", None),
        ("-", None),
        ("e0", None),
        ("nan", None),
        ("inf", None),
        ("1,5", None),
        ("1_000", None),
        ("٣", None),
        ("12 ", None),
    ],
)
def test_number_keeps_the_files_digits(cell: str, text: str | None) -> None:
    """What is published has the cell's own digits, and is valid JSON; anything else is not a number."""
    assert number(cell) == text


@given(st.text(alphabet="+-.0123456789eE", max_size=12))
def test_number_is_json(cell: str) -> None:
    """Whatever is let through is a JSON number of the same value."""
    text = number(cell)
    if text is not None:
        assert float(json.loads(text)) == float(cell)


def test_rows_become_messages_in_file_order(tmp_path: Path) -> None:
    """One message a row; the local time becomes UTC milliseconds; file order stays."""
    text = "date,kWh\n1/1/2018 0:15,3.170\n1/1/2018 0:00,4\n"
    got, done = rows(tmp_path, HEAD + TIME + KWH, text)
    assert got == ['{"ts": 1514733300000, "kwh": 3.170}', '{"ts": 1514732400000, "kwh": 4}']
    assert (done.rows, done.values, done.notes()) == (2, 2, [])


def test_midnight_next_day(tmp_path: Path) -> None:
    """`0:00` of a day closes that day: it moves by 24 h; other times stay."""
    text = "date,kWh\n1/1/2018 23:45,1\n1/1/2018 0:00,2\n"
    got, _ = rows(tmp_path, HEAD + 'midnight = "next-day"\n' + TIME + KWH, text)
    assert [json.loads(g)["ts"] for g in got] == [1514817900000, 1514818800000]


def test_counted_times_gz_and_byte_order_mark(tmp_path: Path) -> None:
    """A file without times starts at `start`; .gz and a byte order mark are read; `;` separates too."""
    toml = HEAD + 'time = { start = "2011-01-01T00:00:00Z", every = "1h" }\n' + KWH
    got, _ = rows(tmp_path, toml, "\ufeffkWh;x\n1;a\n;b\n3;c\n", zipped=True)
    assert got == ['{"ts": 1293840000000, "kwh": 1}', '{"ts": 1293847200000, "kwh": 3}']


def test_channels_of_two_meters(tmp_path: Path) -> None:
    """A channel may name its own meter: a row is then a message for each."""
    toml = HEAD + TIME + KWH + '[[channel]]\ncolumn = "t"\nchannel = "steel"\nmeter = "plant/a/b/c/d/e"\n'
    got, _ = rows(tmp_path, toml, "date,kWh,t\n1/1/2018 0:15,1,2\n1/1/2018 0:30,,5\n")
    assert [json.loads(g).keys() - {"ts"} for g in got] == [{"kwh"}, {"steel"}, {"steel"}]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """Empty cells, words and unreadable times are skipped, counted and shown with an example."""
    text = "date,kWh\n1/1/2018 0:15,\n1/1/2018 0:30,n/a\nyesterday,1\n32/1/2018 0:15,1\n1/1/2018 0:45\n"
    got, done = rows(tmp_path, HEAD + TIME + KWH, text)
    assert got == []
    assert (done.empty, done.not_numbers, done.no_time, done.nothing) == (2, 1, 2, 3)
    assert "2 row(s) without a readable time skipped, e.g. `yesterday` in row 3" in done.notes()


def test_daylight_saving_is_said(tmp_path: Path) -> None:
    """A local time that does not exist, or exists twice, is taken with the first offset, and said."""
    toml = HEAD + TIME.replace("Asia/Seoul", "Europe/Berlin") + KWH
    got, done = rows(tmp_path, toml, "date,kWh\n25/3/2018 2:30,1\n28/10/2018 2:30,2\n28/10/2018 3:30,3\n")
    assert [json.loads(g)["ts"] for g in got] == [1521941400000, 1540686600000, 1540693800000]
    assert (done.gap, done.twice) == (1, 1)


@pytest.mark.parametrize("minutes", [["00", "30"], ["00"]])
def test_the_hour_that_is_there_twice_is_two_hours(tmp_path: Path, minutes: list[str]) -> None:
    """Clocks go back at 3:00 and the file has 2:00 to 3:00 twice, in order: no row overwrites another."""
    toml = HEAD + TIME.replace("Asia/Seoul", "Europe/Berlin") + KWH
    local = [f"{hour}:{minute}" for hour in (1, 2, 2, 3) for minute in minutes]
    got, done = rows(tmp_path, toml, "date,kWh\n" + "".join(f"28/10/2018 {time},1\n" for time in local))
    start, step = 1540681200000, 3_600_000 // len(minutes)  # 2018-10-27T23:00:00Z
    assert [json.loads(g)["ts"] for g in got] == [start + i * step for i in range(len(local))]
    assert done.twice == 2 * len(minutes)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (HEAD + TIME, "no [[channel]]"),
        (HEAD + KWH, "`time` is missing"),
        (TIME + KWH, "has no meter"),
        ('meter = "m1"\n' + TIME + KWH, "where does meter `m1` publish?"),
        ('meter = "plant/+/x"\n' + TIME + KWH, "no topic to publish on"),
        (HEAD + TIME.replace("Asia/Seoul", "Asia/Soul") + KWH, "no time zone `Asia/Soul`"),
        (HEAD + 'time = { column = "date", format = "%H:%M" }\n' + KWH, "no zone"),
        (HEAD + 'time = { start = "2011-01-01", every = "1h" }\n' + KWH, "not an RFC 3339 time"),
        (HEAD + 'midnigth = "next-day"\n' + TIME + KWH, "unknown key `midnigth`"),
        (HEAD + 'midnight = "noon"\n' + TIME + KWH, "midnight = 'noon'"),
        (HEAD + TIME + KWH + KWH, "two columns go to `kwh`"),
        (HEAD + TIME + KWH.replace("kWh", "MWh"), "no column `MWh`"),
        ("= 1", "not TOML"),
    ],
)
def test_a_wrong_map_says_what_is_wrong(tmp_path: Path, toml: str, said: str) -> None:
    """Every mistake is a sentence with a place and a mend, never a traceback."""
    with pytest.raises(ConfigurationError) as caught:
        rows(tmp_path, toml, "date,kWh\n")
    assert said in caught.value.cause
    assert caught.value.where
    assert caught.value.mend


def test_a_broken_file_says_so(tmp_path: Path) -> None:
    """A truncated .gz or text that is no UTF-8 is the user's to mend."""
    chosen = gzip.compress(b"date,kWh\n" + b"1/1/2018 0:15,1\n" * 1000)[:-20]
    for content in (chosen, b"date,kWh\n\xff\xfe"):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(ConfigurationError, match="cannot be read"), _open(tmp_path / "x.csv") as lines:
            list(lines)
    with pytest.raises(ConfigurationError, match="cannot be read"), _open(tmp_path / "none.csv"):
        pass


def test_speed() -> None:
    """`max` is as fast as it goes; nonsense is refused."""
    assert speed_of("max") is None
    assert speed_of("60") == 60
    for nonsense in ("fast", "0", "-1", "nan", "inf"):
        with pytest.raises(ConfigurationError):
            speed_of(nonsense)


REGISTERED = 'meter = "k1-coal"\n' + TIME + '[[channel]]\ncolumn = "kWh"\nchannel = "coal"\n'


def test_meters_are_found_in_a_registry(tmp_path: Path) -> None:
    """Named in the map (beside it), or by GREENGAUGE_REGISTRY: topic and payload key come from there."""
    example = Path(__file__).parents[1] / "plant.example.toml"
    (tmp_path / "plant.toml").write_text(example.read_text())
    got, _ = rows(tmp_path, 'registry = "plant.toml"\n' + REGISTERED, "date,kWh\n1/1/2018 0:15,3.170\n")
    assert got == ['{"ts": 1514733300000, "TOT_1": 3.170}']
    (tmp_path / "map.toml").write_text(REGISTERED)
    assert feed_map.load(tmp_path / "map.toml", registry=example).topics == ("legacy/kiln1/coal",)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"k1-coal"', '"k1-cole"', "no meter `k1-cole`"),
        ('"coal"', '"clay"', "has no channel `clay`"),
        ("plant.toml", "planet.toml", "planet.toml"),
    ],
)
def test_what_the_registry_does_not_know_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A wrong meter, channel or registry, with what there is."""
    (tmp_path / "plant.toml").write_text((Path(__file__).parents[1] / "plant.example.toml").read_text())
    with pytest.raises(ConfigurationError) as caught:
        rows(tmp_path, ('registry = "plant.toml"\n' + REGISTERED).replace(old, new), "date,kWh\n")
    assert said in str(caught.value)
