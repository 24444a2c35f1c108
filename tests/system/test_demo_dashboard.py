"""The dashboard and the alert rules on the demo's own data, as the service wrote it into a real InfluxDB."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices.plant import load
from devices.simulator import DEMO
from devices.simulator.publisher import Simulator
from tests.deploy.files import dashboard, interpolated, rules
from tests.system.influx import TOKEN, Influxd, start_influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import Running, until

pytestmark = pytest.mark.system

HOUR = 3_600_000
CHOSEN = {"level": "line", "window": "1h", "site": ".*", "line": ".*"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    """Three simulated hours, a NOx excursion and its alarm, through broker, log, scores and outputs."""
    folder = tmp_path_factory.mktemp("demo")
    store, broker = start_influxd(), Mosquitto(folder / "mosquitto").start()
    words: list[str | Path] = ["run", DEMO, "--data", folder / "data", "--broker", broker.url, "--store", store.url]
    running = Running([*words, "--port", "0"], folder, GREENGAUGE_INFLUX_TOKEN=TOKEN).start().ready()
    simulator = Simulator(load(DEMO), broker.url, excursion_s=0)
    simulator.backfill(3)
    publishing = threading.Thread(target=simulator.run, name="simulator")
    publishing.start()

    def tripped() -> bool:
        return any(alarm["state"] == "unacknowledged" for alarm in running.get("/api/v1/alarms")["alarms"])

    until(tripped, 60, running.log)
    until(lambda: store.rows("SELECT * FROM alarm"), 30, running.log)
    running.settle()
    time.sleep(5)  # the store's points of the newest minute
    simulator.stop()
    publishing.join()
    running.stop()
    broker.stop()
    yield store
    store.stop()


def queries() -> list[tuple[str, str]]:
    panels = [(f"{p['title']} {t['refId']}", t["query"]) for p in dashboard()["panels"] for t in p["targets"]]
    return panels + [(rule["uid"], rule["data"][0]["model"]["query"]) for rule in rules()]


@pytest.mark.parametrize(("name", "query"), queries(), ids=[name for name, _ in queries()])
def test_rows_come_back(demo: Influxd, name: str, query: str) -> None:
    """Every panel's and every rule's query finds the demo's data."""
    now = time.time_ns() // 1_000_000
    window = "24h" if name.startswith("Smart") else "1h"
    rows = demo.rows(interpolated(query, CHOSEN | {"window": window}, now - 6 * HOUR, now))
    assert any(len(row.keys() - {"time"}) > 0 for row in rows), query
