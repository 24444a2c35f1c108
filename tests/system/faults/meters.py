"""Meters that keep a ledger: what they sent, digit for digit, and what the broker acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

NAMES = ("m1", "m2", "m3")
ON_LINE = {"m1": "k1", "m2": "k1", "m3": "k2"}
MINUTE = 60_000
EPOCH = 1_763_800_020_000
"""Where event time begins: a whole minute."""

HEAD = """
schema = 1
profiles = ["cement"]
[intake]
history = {history}
grace = "2min"
[scoring]
windows = ["15min", "1h"]
[site.works]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
"""
LINE = """
[line.{line}]
site = "works"
area = "pyro"
industry = "cement"
lcd = {{ basis = "gross", power = false, benchmark = "eu-ets-grey-clinker" }}
"""
METER = """
[meter.{meter}]
line = "{line}"
every = "1min"
[meter.{meter}.channels]
clinker = {{ unit = "t", kind = "amount", period = "1min", step = "0.001", counts = "product:clinker" }}
kwh = {{ unit = "kWh", kind = "counter", step = "0.01", counts = "electricity" }}
"""


def topic(meter: str) -> str:
    """Where a meter publishes."""
    return f"plant/acme/works/pyro/{ON_LINE[meter]}/{meter}"


def registry(folder: Path, *, history: bool = False) -> Path:
    """Write the plant of these meters; with `history` the clock is event time."""
    lines = "".join(LINE.format(line=line) for line in sorted(set(ON_LINE.values())))
    meters = "".join(METER.format(meter=meter, line=line) for meter, line in ON_LINE.items())
    path = folder / "plant.toml"
    path.write_text(HEAD.format(history=str(history).lower()) + lines + meters)
    return path


class Meters:
    """Three meters in one thread: an object of two numbers each in turn, now and then a message nobody can read.

    With `history` each round is one minute of event time from EPOCH on; else stamps are the wall clock's, and unique.
    """

    def __init__(self, port: int, *, every: float, history: bool = False, seed: int = 1, bad_each: int = 40) -> None:
        self.sent: dict[tuple[str, int], tuple[str, str]] = {}
        """(meter, ts) → clinker, kwh, as they were written."""
        self.bad: set[str] = set()
        """Payloads that are sent and are no readings."""
        self.acknowledged: set[tuple[str, int]] = set()
        """Of `sent`, in the broker's hands."""
        self.pubacks = 0
        self._history, self._dice, self._bad_each = history, random.Random(seed), bad_each
        self._every, self._count, self._last = every, 0, 0
        self._numbers: dict[int, tuple[str, int] | None] = {}
        self._waiting: deque[int] = deque()  # paho calls back under a lock that publish() wants: only noted there
        self._ending = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="meters", clean_session=False)
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = lambda _client, _userdata, mid, *_rest: self._waiting.append(mid)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, name="meters", daemon=True)
        self._thread.start()

    def finish(self, *, close: bool = False, within: float = 30) -> None:
        """Publish no more and wait until the broker has everything; `close` ends the lines' event time."""
        self._ending.set()
        self._thread.join()
        self._book()
        if close:
            for meter in NAMES:
                self._numbers[self._client.publish(topic(meter), b'{"close": true}', qos=1).mid] = None
        until = time.monotonic() + within
        while self._numbers and time.monotonic() < until:
            time.sleep(0.02)
            self._book()
        self._client.disconnect()
        self._client.loop_stop()
        assert not self._numbers, "the broker did not acknowledge everything"

    def pause(self) -> None:
        """Publish nothing until `go_on`; returns when the broker has all that was published."""
        self._flowing.clear()
        until = time.monotonic() + 20
        while self._numbers:
            assert time.monotonic() < until, "the broker did not acknowledge everything"
            time.sleep(0.02)

    def go_on(self) -> None:
        """Publish again."""
        self._flowing.set()

    def stop(self) -> None:
        """End the thread, whatever is still on its way."""
        self._ending.set()
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def readings_file(self, path: Path) -> Path:
        """What was sent, as a file for `greengauge replay`."""
        rows = [
            f"{ts},{meter},{channel},{text}\n"
            for (meter, ts), texts in sorted(self.sent.items(), key=lambda item: item[0][1])
            for channel, text in zip(("clinker", "kwh"), texts, strict=True)
        ]
        path.write_text("ts,meter,channel,value\n" + "".join(rows))
        return path

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ending.wait(max(0.0005, began + self._count * self._every - time.monotonic())):
            if self._flowing.is_set():
                self._publish()
            else:  # the time of a pause is not made up for
                began = time.monotonic() - self._count * self._every
            self._book()

    def _publish(self) -> None:
        count, dice = self._count, self._dice
        meter = NAMES[count % len(NAMES)]
        if self._history:
            ts = EPOCH + count // len(NAMES) * MINUTE
        else:
            ts = self._last = max(self._last + 1, time.time_ns() // 1_000_000)
        clinker, kwh = f"{dice.uniform(0, 9):.{dice.randrange(1, 17)}f}", f"{count * 7 + dice.random():.2f}"
        if count % self._bad_each == self._bad_each - 1:
            payload = f'{{"ts": {ts}, "seq": {count // len(NAMES)}, "clinker": "number {count} as text"}}'
            self.bad.add(payload)
            key = None
        else:
            payload = f'{{"ts": {ts}, "seq": {count // len(NAMES)}, "clinker": {clinker}, "kwh": {kwh}}}'
            self.sent[meter, ts] = clinker, kwh
            key = (meter, ts)
        self._numbers[self._client.publish(topic(meter), payload.encode(), qos=1).mid] = key
        self._count += 1

    def _book(self) -> None:
        while self._waiting:
            self.pubacks += 1
            key = self._numbers.pop(self._waiting.popleft())
            if key is not None:
                self.acknowledged.add(key)
