"""Fault 8: a store that lost what it acknowledged: the cursor goes back, and the log tells it everything again."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from paho.mqtt import publish

from tests.system.faults import oracle
from tests.system.faults.conftest import After, Figure
from tests.system.faults.meters import Meters, registry, topic
from tests.system.faults.service import service
from tests.system.influx import BUCKET, Influxd
from tests.system.mosquitto import Mosquitto
from tests.system.running import command, until

pytestmark = [pytest.mark.system, pytest.mark.fault(8)]


def lost(folder: Path, broker: Mosquitto, store: Influxd, after: After, *, seconds: float, every: float) -> str:
    """Empty the store while meters publish, then rewind; the oracle's sentence."""
    registry(folder)
    began = datetime.now(UTC).isoformat(timespec="milliseconds")
    running = service(folder, broker.url, store.url)
    after.append(running.start().ready())
    meters = Meters(broker.port, every=every)
    after.append(meters)
    time.sleep(seconds)
    key = next(iter(meters.sent))
    corrected = json.dumps({"ts": key[1], "rev": 1, "clinker": 7.25, "kwh": 3.5})
    publish.single(topic(key[0]), corrected, qos=1, port=broker.port)
    until(lambda: oracle.stored(store).get(key) == (7.25, 3.5), 30, running.log)
    meters.sent[key] = "7.25", "3.5"
    store.request("DELETE", f"/api/v2/buckets/{store.bucket_id()}")
    store.new_bucket(BUCKET)
    assert oracle.count(store) < 5 / every, "it has lost nearly everything"
    told = command("rewind", "--to", began, "--data", folder / "data", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["complete"]
    asked = time.monotonic()
    time.sleep(1)
    meters.finish()
    oracle.settled(running, store, meters)
    whole = time.monotonic() - asked
    return f"{oracle.nothing_lost(store, meters, folder / 'data')}; whole again {whole:.1f} s after `rewind`"


def test_a_store_that_lost_everything(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """Its bucket is gone and made anew: everything comes again in log order, a correction still wins."""
    figure(lost(tmp_path, mosquitto, influx, after, seconds=4, every=0.005))


@pytest.mark.long
def test_a_store_that_lost_two_minutes(
    tmp_path: Path, mosquitto: Mosquitto, influx: Influxd, after: After, figure: Figure
) -> None:
    """The same after two minutes at 1,000 messages a second."""
    figure(lost(tmp_path, mosquitto, influx, after, seconds=120, every=0.001))
