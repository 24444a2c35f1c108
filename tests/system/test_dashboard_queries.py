"""Every query of the Grafana files against a real InfluxDB that holds a day of points made by our own encoders."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator

import pytest

from devices.readings import Readings
from greengauge.history.rows import Told, freeze
from greengauge.outputs.points import Points, alarm_point
from ingest.line_protocol import ReadingEncoder
from ingest.store.base import BadPoint
from ingest.store.influx import InfluxStore
from tests.deploy.files import dashboard, interpolated, rules
from tests.greengauge.page.driver import energy
from tests.greengauge.results import alarm_event, emission, score
from tests.ingest.small_plant import small_plant
from tests.system.influx import Influxd, start_influxd

pytestmark = pytest.mark.system

PLANT = small_plant()
POINTS = Points(PLANT)
NOW = time.time_ns() // 300_000_000_000 * 300_000
DAY = 86_400_000
CHOSEN = {"level": "line", "window": "1h", "site": ".*", "line": ".*"}
"""As the dashboard opens: a level, a window, all sites and lines."""


def told(thing: Told) -> bytes:
    return POINTS.line(freeze(thing), simulated=True)


def a_day() -> Iterator[bytes]:
    """Readings, scores of every scope, emissions with an excursion in the last hours, an alarm's life."""
    encoder = ReadingEncoder(PLANT)
    for minute in range(0, DAY, 300_000):
        ts = NOW - DAY + minute
        wave = math.sin(minute / 7e6)
        rows = [(c.index, b"%.3f" % (100 + 10 * c.index + wave)) for c in PLANT.channels]
        readings = Readings.of([c for c, _ in rows], [ts] * len(rows), [0] * len(rows), numbers=[n for _, n in rows])
        yield from encoder.encode(readings).lines
        for scope in PLANT.scopes:
            for degree in ("gd", "lcd", "cd", "sd"):
                for window in ("1h", "24h"):
                    held = None if degree == "sd" and window == "1h" else 0.9 + wave / 20
                    yield told(
                        score(ts=ts, scope=scope.id, level=scope.level, degree=degree, window=window, value=held)
                    )
            for kind in ("electricity", "comprehensive"):
                made = energy(scope.id, ts=ts, level=scope.level, energy=kind, value=105 + wave)
                yield told(made)
        for pollutant, limit in (("nox", 50.0), ("so2", 35.0)):
            level = limit * (0.9 + wave / 20) if minute < DAY - 7_200_000 or pollutant == "so2" else limit * 1.2
            stale = pollutant == "so2" and minute > DAY - 900_000
            values = {"pollutant": pollutant, "value": level, "limit": limit, "headroom": limit - level}
            minute_mean = emission(ts=ts, average="1min", stale=stale, **values)
            yield told(minute_mean)
            if ts % 3_600_000 == 0:
                yield told(emission(ts=ts, **values))
    for event in ("trip", "acknowledge", "clear"):
        yield alarm_point(alarm_event(ts=NOW - 3_600_000 + len(event), event=event, user="Li"))


@pytest.fixture(scope="module")
def influx() -> Iterator[Influxd]:
    """A server of its own, filled once."""
    server = start_influxd()

    async def fill() -> list[BadPoint]:
        store = InfluxStore(server.url, server.token)
        refused = await store.write(list(a_day()))
        await store.close()
        return refused

    assert asyncio.run(fill()) == []
    yield server
    server.stop()


def targets() -> list[tuple[str, str]]:
    return [
        (f"{panel['title']} {target['refId']}", target["query"])
        for panel in dashboard()["panels"]
        for target in panel["targets"]
    ]


@pytest.mark.parametrize(("name", "query"), targets(), ids=[name for name, _ in targets()])
def test_a_panel_shows_rows(influx: Influxd, name: str, query: str) -> None:
    """Each panel's query brings rows with a value, as the dashboard opens over the last 24 hours."""
    window = "24h" if name.startswith("Smart") else "1h"  # SD is withheld below 24 h: nothing to draw is right there
    rows = influx.rows(interpolated(query, CHOSEN | {"window": window}, NOW - DAY, NOW))
    assert any(len(row.keys() - {"time"}) > 0 for row in rows), query


@pytest.mark.parametrize("level", ["line", "area", "site", "enterprise", "industry", "region", "country"])
def test_every_level_can_be_chosen(influx: Influxd, level: str) -> None:
    """`All` lines also means scopes that have no line: a roll-up is one series per degree."""
    query = next(query for name, query in targets() if name.startswith("Low-carbon"))
    found = influx.influxql(interpolated(query, CHOSEN | {"level": level}, NOW - DAY, NOW))
    assert len(found) == 1
    assert len(found[0]["values"]) == DAY // 300_000


def test_withheld_values_are_not_drawn(influx: Influxd) -> None:
    """SD over one hour has no value anywhere, so its panel has no row."""
    query = next(query for name, query in targets() if name.startswith("Smart"))
    assert influx.rows(interpolated(query, CHOSEN, NOW - DAY, NOW)) == []


@pytest.mark.parametrize("variable", dashboard()["templating"]["list"], ids=lambda variable: variable["name"])
def test_a_variable_has_choices(influx: Influxd, variable: dict[str, str]) -> None:
    """What the drop-downs offer."""
    values = {row["value"] for row in influx.rows(interpolated(variable["query"], CHOSEN, 0, NOW))}
    assert {"level": "line", "window": "1h", "site": "wuhu", "line": "k1"}[variable["name"]] in values


@pytest.mark.parametrize(("uid", "firing"), [
    ("greengauge-emission-hour", {"nox"}),
    ("greengauge-emission-minute", {"nox"}),
    ("greengauge-stack-silent", {"so2"}),
])  # fmt: skip
def test_a_rule_fires_for_the_right_series(influx: Influxd, uid: str, firing: set[str]) -> None:
    """Its query brings one series a pollutant; its condition holds for the one in trouble, and for no other."""
    (rule,) = [rule for rule in rules() if rule["uid"] == uid]
    first, last = rule["data"][0], rule["data"][-1]
    since = NOW - first["relativeTimeRange"]["from"] * 1000
    found = influx.influxql(interpolated(first["model"]["query"], {}, since, NOW))
    assert {one["tags"]["pollutant"] for one in found} == {"nox", "so2"}
    compare = {"$last <= 0": lambda v: v <= 0, "$last > 0": lambda v: v > 0}[last["model"]["expression"]]
    assert {one["tags"]["pollutant"] for one in found if compare(one["values"][-1][-1])} == firing


def test_every_rule_is_tried_here() -> None:
    """No rule without its case above."""
    assert {rule["uid"] for rule in rules()} == {
        "greengauge-emission-hour", "greengauge-emission-minute", "greengauge-stack-silent",
    }  # fmt: skip
