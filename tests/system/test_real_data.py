"""Issue 3's ends 2–4: real plant data through real mosquitto and real influxd, under kills and outages.

The independent computation is pandas over the file itself; it shares no code with the product.
"""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.system.influx import TOKEN, Influxd, influx, influx_server  # noqa: F401 - fixtures
from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.real_plants import STEEL, STEEL_MAP, TURBINE, TURBINE_ALARM, TURBINE_MAP, data
from tests.system.running import Running, command, until

pytestmark = pytest.mark.system

STEEL_ROWS = 17_376
LAST_MS = 1_530_370_800_000  # the last midnight of the file


def plant(folder: Path, registry: str, mapping: str) -> None:
    """A folder with plant.toml and map.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plant.toml").write_text(registry)
    (folder / "map.toml").write_text(mapping)


def service(folder: Path, broker: str, store: Influxd) -> Running:
    """`greengauge run` on these, not yet started."""
    words = [
        "run",
        folder / "plant.toml",
        "--data",
        folder / "data",
        "--broker",
        broker,
        "--store",
        store.url,
        "--port",
        "0",
    ]
    return Running(words, folder, GREENGAUGE_INFLUX_TOKEN=TOKEN, GREENGAUGE_SNAPSHOT_SECONDS="1")


def fed(folder: Path, name: str, broker: str, speed: str = "max") -> str:
    """Feed the whole file; what the command printed."""
    done = command("feed", data(name), "--map", folder / "map.toml", "--broker", broker, "--speed", speed)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stored(store: Influxd, fields: str) -> dict[str, Any]:
    """Counts of fields of `reading`."""
    rows = store.rows(f"SELECT {fields} FROM reading")
    return rows[0] if rows else {}


def settled(running: Running, store: Influxd, field: str, count: int, timeout: float = 500) -> None:
    """Wait until the store holds `count` values and the scores have caught up."""
    until(lambda: stored(store, f'count("{field}") AS n').get("n", 0) >= count, timeout, running.log)
    running.settle(timeout)


def steel(midnight: str) -> pd.DataFrame:
    """The steel file with UTC stamps, read by pandas."""
    frame = pd.read_csv(data("steel_industry_2018_h1.csv.gz"), dtype=str)
    stamp = pd.to_datetime(frame["date"], format="%d/%m/%Y %H:%M")
    if midnight == "next-day":
        stamp = stamp + pd.to_timedelta((stamp.dt.strftime("%H:%M") == "00:00").astype(int), unit="D")
    frame.index = stamp.dt.tz_localize("Asia/Seoul").dt.tz_convert("UTC")
    return frame.sort_index()


def day_sums(frame: pd.DataFrame, column: str) -> pd.Series[float]:
    """(T - 24 h, T] sums of a column, exact in hundredths."""
    hundredths = frame[column].map(lambda text: int(Decimal(text) * 100)).astype("int64")
    return hundredths.rolling("24h", closed="right").sum() / 100


@pytest.mark.parametrize("midnight", ["literal", "next-day"])
def test_steel_file_is_stored_once_and_scored_exactly(
    midnight: str,
    tmp_path: Path,
    influx: Influxd,
    mosquitto: Mosquitto,
) -> None:
    """Every row once in InfluxDB, sums to the last digit, 24 h windows as pandas has them."""
    plant(tmp_path, STEEL, STEEL_MAP.format(midnight=midnight))
    running = service(tmp_path, mosquitto.url, influx).start().ready()
    try:
        fed(tmp_path, "steel_industry_2018_h1.csv.gz", mosquitto.url)
        settled(running, influx, "kwh", STEEL_ROWS)
        frame = steel(midnight)
        rows = influx.rows("SELECT kwh, co2 FROM reading")
        assert len(rows) == STEEL_ROWS
        for field, column in (("kwh", "Usage_kWh"), ("co2", "CO2(tCO2)")):
            total = sum(Decimal(str(row[field])) for row in rows)
            assert total == sum(map(Decimal, frame[column]))
        expected = day_sums(frame, "CO2(tCO2)")
        points = influx.rows(
            "SELECT denominator, lifecycle FROM degree WHERE degree = 'lcd' AND \"window\" = '24h' AND level = 'line'"
        )
        by_time = {pd.Timestamp(row["time"], unit="ms", tz="UTC"): row["denominator"] for row in points}
        compared = [(by_time[at], value) for at, value in expected.items() if at in by_time]
        assert len(compared) > STEEL_ROWS * 0.99
        assert all(got == pytest.approx(value, abs=1e-9) for got, value in compared)
    finally:
        running.stop()


def test_gas_turbine_levels_and_product(
    tmp_path: Path,
    influx: Influxd,
    mosquitto: Mosquitto,
) -> None:
    """Hourly levels and output of 18,000 rows: stored once; sums and day averages as pandas has them."""
    plant(tmp_path, TURBINE, TURBINE_MAP)
    running = service(tmp_path, mosquitto.url, influx).start().ready()
    try:
        fed(tmp_path, "gas_turbine_part1.csv.gz", mosquitto.url)
        settled(running, influx, "nox", 18_000)
        frame = pd.read_csv(data("gas_turbine_part1.csv.gz"), dtype=str)
        for field, column in (
            ("yield", "Turbine energy yield"),
            ("co", "Carbon monoxide"),
            ("nox", "Nitrogen oxides"),
        ):
            rows = influx.rows(f"SELECT {field} FROM reading")
            assert len(rows) == 18_000
            assert sum(Decimal(str(row[field])) for row in rows) == sum(map(Decimal, frame[column]))
        sums = {(s["channel"], s["window"]): s for s in running.get("/api/v1/sums")["sums"]}
        last_day = frame["Turbine energy yield"][-24:].map(Decimal).sum()
        assert Decimal(sums["yield", "24h"]["sum"]) == last_day
    finally:
        running.stop()


def test_five_kills_change_nothing(
    tmp_path: Path,
    influx: Influxd,
    mosquitto: Mosquitto,
) -> None:
    """kill -9 five times during the feed: the same InfluxDB content and the same final scores as without."""
    clean = _content(tmp_path / "clean", 0, mosquitto, influx)
    killed = _content(tmp_path / "killed", 5, mosquitto, influx)
    assert clean[1]
    assert killed[0] == clean[0]
    assert killed[1] == clean[1]


def _content(folder: Path, kills: int, broker: Mosquitto, store: Influxd) -> tuple[Any, Any]:
    """All readings in the store and all final scores after a feed with so many kills."""
    plant(folder, STEEL, STEEL_MAP.format(midnight="literal"))
    store.new_bucket(folder.name)
    running = service(folder, broker.url, store)
    running.env["GREENGAUGE_INFLUX_BUCKET"] = folder.name
    running.start().ready()
    try:
        feeder = threading.Thread(target=fed, args=(folder, "steel_industry_2018_h1.csv.gz", broker.url))
        feeder.start()
        for _ in range(kills):
            time.sleep(0.7)
            running.kill()
            running.start()
        feeder.join()
        running.ready()
        until(lambda: _count(store, folder.name) >= STEEL_ROWS, 200, running.log)
        until(lambda: running.part("scoring").get("text") == "ok", 500, running.log)
        scores = running.get("/api/v1/scores", at=LAST_MS)["scores"]
        shown = ("ts", "scope", "degree", "window", "value", "numerator", "denominator", "completeness", "lifecycle")
        return store.influxql("SELECT * FROM reading", folder.name), [{k: s[k] for k in shown} for s in scores]
    finally:
        running.stop()


def _count(store: Influxd, bucket: str) -> int:
    rows = store.rows("SELECT count(kwh) AS n FROM reading", bucket)
    return int(rows[0]["n"]) if rows else 0


def alarm(running: Running, id_: str) -> dict[str, Any]:
    """An alarm's present state; empty where it was never raised."""
    return next((a for a in running.get("/api/v1/alarms")["alarms"] if a["id"] == id_), {})


OUTAGE_S = 65
"""The alarm waits a minute."""


def test_store_outage_costs_nothing(
    tmp_path: Path,
    influx: Influxd,
    mosquitto: Mosquitto,
) -> None:
    """influxd stopped for over a minute during the feed: page and alarms go on, one says so, every row is stored."""
    plant(tmp_path, TURBINE + TURBINE_ALARM, TURBINE_MAP)
    running = service(tmp_path, mosquitto.url, influx).start().ready()
    speed = str(18_000 * 3600 // (OUTAGE_S + 30))  # the rows take longer than the outage
    feeder = threading.Thread(target=fed, args=(tmp_path, "gas_turbine_part1.csv.gz", mosquitto.url, speed))
    try:
        feeder.start()
        until(lambda: stored(influx, "count(nox) AS n").get("n", 0) > 100, 60, running.log)
        until(lambda: running.get("/api/v1/emissions")["emissions"], 60, running.log)
        influx.stop()
        began = time.monotonic()
        shown: list[int] = []
        events: list[int] = []
        while time.monotonic() - began < OUTAGE_S:
            shown.append(max(e["ts"] for e in running.get("/api/v1/emissions")["emissions"]))
            events.append(len(running.get("/api/v1/alarms", events=10_000)["events"]))
            assert running.status("/readyz") == running.status("/") == 200
            time.sleep(5)
        until(lambda: alarm(running, "store-down").get("state") == "unacknowledged", 30, running.log)
        assert running.part("store")["state"] == "down"
        assert all(later > earlier for earlier, later in zip(shown[:-2], shown[2:], strict=True))  # none stands longer
        assert events[-1] > events[0] + 10
        influx.start()
        feeder.join()
        until(lambda: stored(influx, "count(nox) AS n").get("n", 0) >= 18_000, 200, running.log)
        rows = influx.rows("SELECT nox FROM reading")
        assert len(rows) == 18_000
        until(lambda: alarm(running, "store-down")["state"] == "returned", 30, running.log)
        column = pd.read_csv(data("gas_turbine_part1.csv.gz"), dtype=str)["Nitrogen oxides"]
        assert sum(Decimal(str(row["nox"])) for row in rows) == sum(map(Decimal, column))
    finally:
        running.stop()
        feeder.join()
