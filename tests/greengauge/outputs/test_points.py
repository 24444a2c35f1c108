from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.plant.model import Plant
from greengauge.history.rows import Told, freeze
from greengauge.outputs import points
from ingest import line_protocol as lp
from tests.greengauge.page.driver import energy
from tests.greengauge.results import T0, alarm_event, emission, score
from tests.ingest.small_plant import small_plant

PLANT = small_plant()
DOCS = (Path(__file__).parents[3] / "docs/influxdb.md").read_text()


def line_of(thing: Told, plant: Plant, *, simulated: bool) -> bytes:
    return points.Points(plant).line(freeze(thing), simulated=simulated)


def read(line: bytes) -> tuple[str, dict[str, str], dict[str, lp.Value], int]:
    series, fields, ts = lp.split(line)
    measurement, tags = lp.parse_head(series)
    return measurement, tags, dict(map(lp.parse_field, fields)), int(ts)


def test_a_score_is_a_degree() -> None:
    """Tags of its line, float fields, integer revision and codes, at the step's stamp."""
    measurement, tags, fields, ts = read(line_of(score(), PLANT, simulated=True))
    assert (measurement, ts) == ("degree", T0)
    assert tags == {
        "country": "CN", "region": "anhui", "industry": "cement", "enterprise": "acme", "site": "wuhu", "area": "pyro",
        "line": "k1", "level": "line", "degree": "lcd", "window": "1h", "simulated": "true",
    }  # fmt: skip
    assert fields["value"] == 0.875
    assert {name for name, v in fields.items() if type(v) is int} == {
        "revision", "quality", "operation", "lifecycle", "stale", "withheld",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "level", "names"),
    [
        ("area:acme/wuhu/pyro", "area", {"country", "region", "enterprise", "site", "area"}),
        ("site:acme/wuhu", "site", {"country", "region", "enterprise", "site"}),
        ("enterprise:acme", "enterprise", {"enterprise"}),
        ("industry:cement", "industry", {"industry"}),
        ("region:CN/anhui", "region", {"country", "region"}),
        ("country:CN", "country", {"country"}),
    ],
)
def test_a_roll_up_carries_only_its_own_place(scope: str, level: str, names: set[str]) -> None:
    """A sum over lines never wears one line's tag."""
    _, tags, _, _ = read(line_of(score(scope=scope, level=level), PLANT, simulated=False))
    assert tags.keys() - {"level", "degree", "window", "simulated"} == names


def test_a_withheld_value_says_so() -> None:
    """The value's field is absent, `withheld` is 1 and the reason stands; a value that stands clears both."""
    _, _, fields, _ = read(line_of(score(value=None, reason="idle"), PLANT, simulated=False))
    assert "value" not in fields
    assert (fields["withheld"], fields["reason"]) == (1, "idle")
    _, _, fields, _ = read(line_of(score(), PLANT, simulated=False))
    assert (fields["withheld"], fields["reason"]) == (0, "")


def test_an_emission_and_its_limit() -> None:
    """Stack tags, the average and its budget; whole numbers are still floats."""
    measurement, tags, fields, _ = read(line_of(emission(limit=50, headroom=1), PLANT, simulated=False))
    assert measurement == "emission"
    assert tags == {
        "country": "CN", "region": "anhui", "industry": "cement", "enterprise": "acme", "site": "wuhu", "stack": "tail",
        "level": "stack", "pollutant": "nox", "average": "1h", "simulated": "false",
    }  # fmt: skip
    for name in ("value", "raw", "limit", "headroom", "allowed_mean", "valid_minutes", "unavoidable_at"):
        assert type(fields[name]) is float, name


def test_a_specific_energy() -> None:
    """Tags with its kind and product; floats even where whole; the norm's level as an integer, 0 where none is."""
    measurement, tags, fields, ts = read(line_of(energy(value=105, next=100), PLANT, simulated=False))
    assert (measurement, ts) == ("energy", 1_763_800_000_000)
    assert tags == {
        "country": "CN", "region": "anhui", "industry": "cement", "enterprise": "acme", "site": "wuhu", "area": "pyro",
        "line": "k1", "level": "line", "energy": "comprehensive", "product": "clinker", "window": "1h",
        "simulated": "false",
    }  # fmt: skip
    assert {type(fields[name]) for name in ("value", "next", "distance", "distance_percent")} == {float}
    assert (fields["norm_level"], fields["judged"]) == (2, 1)
    _, _, fields, _ = read(line_of(energy(norm_level=None, next=117.0), PLANT, simulated=False))
    assert (fields["norm_level"], fields["judged"]) == (0, 1)  # judged, and below every level
    unjudged = energy(norm_level=None, next=None, distance=None, distance_percent=None)
    _, _, fields, _ = read(line_of(unjudged, PLANT, simulated=False))
    assert (fields["norm_level"], fields["judged"]) == (0, 0)


def test_an_alarm_event() -> None:
    """Every step of its life, with who and why."""
    line = points.alarm_point(alarm_event(event="acknowledge", user="Li", comment='seen, "ok"'))
    measurement, tags, fields, ts = read(line)
    assert (measurement, ts) == ("alarm", T0)
    assert tags == {"scope": "stack:acme/wuhu/tail", "id": "nox-high", "priority": "high"}
    assert (fields["event"], fields["user"], fields["comment"]) == ("acknowledge", "Li", 'seen, "ok"')
    assert type(fields["limit"]) is float


@pytest.mark.parametrize(
    "line",
    [
        line_of(score(detail={"process": 1.0}), PLANT, simulated=False),
        line_of(emission(), PLANT, simulated=False),
        line_of(energy(), PLANT, simulated=False),
        points.alarm_point(alarm_event()),
    ],
)
def test_every_tag_and_field_is_documented(line: bytes) -> None:
    """docs/influxdb.md names all that is written, under its measurement."""
    measurement, tags, fields, _ = read(line)
    (section,) = re.findall(rf"^## `{measurement}`\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)
    shared = section + re.findall(r"^## In all three\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL)[0]
    names = {"detail_…" if name.startswith("detail_") else name for name in [*tags, *fields]}
    assert {name for name in names if f"`{name}`" not in shared} == set()


@pytest.mark.parametrize("codes", [points.QUALITY, points.OPERATION, points.LIFECYCLE])
def test_every_code_is_documented(codes: dict[str, int]) -> None:
    """A dashboard can be written from the page alone."""
    for word, code in codes.items():
        assert f"{code} {word}" in DOCS


@pytest.mark.parametrize(
    ("scope", "tags"),
    [
        ("line:acme/oldsite/pyro/k9", {"enterprise": "acme", "site": "oldsite", "area": "pyro", "line": "k9"}),
        ("region:CN/hubei", {"country": "CN", "region": "hubei"}),
        ("industry:glass", {"industry": "glass"}),
    ],
)
def test_a_scope_that_left_the_registry_is_still_delivered(scope: str, tags: dict[str, str]) -> None:
    """Scored before the registry changed and not delivered yet: its own id tells where it was."""
    _, told, _, _ = read(line_of(score(scope=scope), PLANT, simulated=False))
    assert tags.items() <= told.items()
    assert "stack" not in told


def test_a_stack_that_left_the_registry_is_still_delivered() -> None:
    """The same of emissions."""
    _, told, _, _ = read(line_of(emission(scope="stack:acme/oldsite/tail"), PLANT, simulated=False))
    assert {"enterprise": "acme", "site": "oldsite", "stack": "tail"}.items() <= told.items()


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | NUMBERS


@given(
    NUMBERS, MAYBE, MAYBE, st.none() | st.text(), st.booleans(),
    st.dictionaries(st.sampled_from(["co2_fuel", "tsr", "kwh bought", "a,b"]), NUMBERS),
)  # fmt: skip
def test_the_digits_are_those_that_were_told(
    numerator: float, value: float | None, low: float | None, reason: str | None, stale: bool, detail: dict[str, float]
) -> None:
    """Every double comes back from the line, texts with quotes and commas too; what is none is left out."""
    made = score(numerator=numerator, value=value, low=low, reason=reason, stale=stale, detail=detail)
    if reason and re.search(r"[\x00\n\r]", reason):
        return
    _, _, fields, _ = read(line_of(made, PLANT, simulated=False))
    told = {name: v for name, v in fields.items() if name.startswith("detail_")}
    assert told == {f"detail_{name}": v for name, v in detail.items()}
    assert {type(v) for v in told.values()} <= {float}
    assert (fields["numerator"], fields.get("value"), fields.get("low")) == (numerator, value, low)
    assert (fields["reason"], fields["stale"]) == (reason or "", int(stale))


def test_rows_of_one_series_share_their_form() -> None:
    """Series, plants and marks of simulation do not mix."""
    of = points.Points(PLANT)
    first = of.line(freeze(score()), simulated=False)
    assert of.line(freeze(score()), simulated=False) == first
    assert read(of.line(freeze(score()), simulated=True))[1]["simulated"] == "true"
    assert read(of.line(freeze(score(basis="net")), simulated=False))[2]["basis"] == "net"
    other = line_of(score(scope="line:acme/other/pyro/k1"), small_plant("other"), simulated=False)
    assert read(other)[1]["site"] == "other"
