"""A quiet line beside talking ones, through a real broker: at once in its gauge, on MQTT and on the WebSocket."""

from __future__ import annotations

import asyncio
import json
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from websockets.asyncio.client import connect

from tests.system.mosquitto import Mosquitto, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, until

pytestmark = pytest.mark.system

BUSY, QUIET, SILENT = [f"b{n}" for n in range(8)], "q", "s"
SCOPE = "line:acme/works/hall/"
HEAD = """
schema = 1
profiles = ["cement"]
[site.works]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = ["1min", "1h", "24h"]
"""
LINE = """
[line.{line}]
site = "works"
area = "hall"
industry = "cement"
people = 1
lcd = {{ basis = "gross", power = true }}
[meter.{line}-m]
line = "{line}"
every = "1s"
[meter.{line}-m.channels]
made = {{ unit = "t", kind = "amount", counts = "product:clinker", step = "1" }}
"""


class Plant:
    """Eight lines that each say something five times a second, one that is asked to, and one that spoke once."""

    def __init__(self, port: int) -> None:
        self.heard: defaultdict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)  # by line
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="plant")
        self.client.on_message = self._hear
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(f"greengauge/score/{SCOPE}+")
        self.client.loop_start()
        self._over = threading.Event()
        self._talking = threading.Thread(target=self._talk, daemon=True)

    def tonne(self, line: str) -> float:
        """One tonne more is made; when that was said."""
        now, ts = time.monotonic(), time.time_ns() // 1_000_000
        self.client.publish(f"plant/acme/works/hall/{line}/{line}-m", json.dumps({"ts": ts, "made": 1}), qos=1)
        return now

    def start(self) -> None:
        self._talking.start()

    def close(self) -> None:
        self._over.set()
        if self._talking.ident is not None:
            self._talking.join()
        self.client.loop_stop()
        self.client.disconnect()

    def told(self, line: str, tonnes: int) -> float | None:
        """When the line's day was first told with so many tonnes."""
        return next((when for when, scores in [*self.heard[line]] if output(scores) >= tonnes), None)

    def _talk(self) -> None:
        while not self._over.wait(0.2):
            for line in BUSY:
                self.tonne(line)

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        body = json.loads(message.payload) if message.payload else {"scores": []}
        self.heard[message.topic.rpartition("/")[2]].append((time.monotonic(), body))


def output(body: dict[str, Any]) -> float:
    """Tonnes of the day."""
    return max((s["output"] for s in body["scores"] if (s["degree"], s["window"]) == ("gd", "24h")), default=0.0)


def end_of(running: Running, line: str) -> int:
    """Where the line's minute ends that is shown."""
    return max(s["ts"] for s in running.get("/api/v1/scores", scope=SCOPE + line, window="1min")["scores"])


@pytest.fixture
def plant(mosquitto: Mosquitto) -> Iterator[Plant]:
    made = Plant(mosquitto.port)
    yield made
    made.close()


@pytest.fixture
def running(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Running]:
    registry = tmp_path / "plant.toml"
    registry.write_text(HEAD + "".join(LINE.format(line=line) for line in (*BUSY, QUIET, SILENT)))
    words = ["run", registry, "--data", tmp_path / "data", "--broker", mosquitto.url, "--port", "0"]
    one = Running(words, tmp_path).start().ready(60)
    yield one
    one.kill()


async def test_a_quiet_line_does_not_wait_for_the_others(plant: Plant, running: Running) -> None:
    """Its reading is on MQTT and on /ws long before a second is over; nobody is told of more than once a second; a
    line that nothing comes from moves on; and what is told is what the API answers.
    """
    plant.tonne(SILENT)
    plant.start()
    await asyncio.to_thread(until, lambda: all(plant.heard[line] for line in (*BUSY, SILENT)), 60, running.log)
    plant.tonne(QUIET)  # whatever is compiled late is compiled for this one
    await asyncio.to_thread(until, lambda: plant.told(QUIET, 1), 60, running.log)
    silent = end_of(running, SILENT)
    on_ws: dict[int, float] = {}  # tonnes -> when
    async with connect(running.page.replace("http", "ws") + "/ws", max_size=None) as socket:

        async def listen() -> None:
            async for text in socket:
                shown = {"scores": [s for s in json.loads(text)["scores"] if s["scope"] == SCOPE + QUIET]}
                on_ws.setdefault(round(output(shown)), time.monotonic())

        listening = asyncio.create_task(listen(), name="page")
        said = {}
        for tonnes in range(2, 9):
            await asyncio.sleep(2.13)  # in no step with anybody's second
            said[tonnes] = plant.tonne(QUIET)
        await asyncio.sleep(1.5)
        listening.cancel()
    assert statistics.median((plant.told(QUIET, n) or 1e9) - when for n, when in said.items()) < 0.5
    assert statistics.median(on_ws.get(n, 1e9) - when for n, when in said.items()) < 0.5

    for line in (*BUSY, QUIET, SILENT):
        times = [when for when, _ in plant.heard[line]][1:]  # the first may be the broker's retained one
        # sent a second apart; two may arrive closer where the first was held up on its way
        assert len(times) <= times[-1] - times[0] + 2 if times else True, line
    assert end_of(running, SILENT) >= silent + 10_000

    plant.close()
    told = plant.heard[QUIET][-1][1]["scores"]
    shown = running.get("/api/v1/scores", scope=SCOPE + QUIET)["scores"]
    key = ("degree", "window")
    numbers = ("numerator", "denominator", "output")  # of the day and the hour: they stay while nothing comes
    of = [
        {tuple(s[k] for k in key): [s[n] for n in numbers] for s in scores if s["window"] != "1min"}
        for scores in (told, shown)
    ]
    assert of[0] == of[1]
    assert of[0]["gd", "24h"][2] == 8.0
