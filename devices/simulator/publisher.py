"""`Simulator`: the simulated plant's meters on a broker: yesterday first, then live.

Each meter is an MQTT client of its own (QoS 1). Its last will is the retained message `offline` on
`edge/{enterprise}/{site}/{meter}/status`, outside the intake's topics; `online` stands there while it lives.
What is published is a pure function of (registry, seed, start, faults, rate): the pace of the machine
moves nothing but the moment of sending.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from devices.broker import Broker
from devices.durations import HOUR, MINUTE
from devices.plant.model import Plant
from devices.simulator import faults as faults_
from devices.simulator.faults import Fault
from devices.simulator.link import Link, Pump
from devices.simulator.plant import SimulatedMeter, SimulatedPlant

SLICE = 10 * MINUTE
"""Backfill: no meter is more than this ahead of another; also the readings in one message."""
_AHEAD_MS = 1000
Progress = Callable[[int, int], None]


class Device:
    """One meter with its link, its faults and what it has yet to send."""

    def __init__(self, meter: SimulatedMeter, link: Link, interval: int, faults: Sequence[Fault]) -> None:
        self.meter, self.link, self.interval = meter, link, interval
        self.topic = meter.meter.topic
        mine = [f for f in faults if f.meter is meter]
        self.values = [f for f in mine if f.source]
        self.delivery = {f.name: f for f in mine if not f.source}
        self.due: deque[tuple[int, str]] = deque()  # (when to send, payload)
        self.made_until = 0
        self._held: list[dict[str, Any]] = []

    def objects(self, ts: np.ndarray[Any, np.dtype[np.int64]], span: int) -> list[dict[str, Any]]:
        """One payload object for each time."""
        columns = self.meter.columns(ts, span)
        for fault in self.values:
            if fault.source:
                field = fault.source.channel.field
                columns[field] = fault.falsify(ts, columns[field], span)
        stamps = ts
        if skew := self.delivery.get("skew"):
            stamps = ts + 120_000 * skew.active(ts)
        names = ["ts", *columns]
        rows = zip([int(t) for t in stamps], *columns.values(), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def make(self, until: int) -> None:
        """Have everything ready that is due up to `until` (event time, ms)."""
        first = (self.made_until // self.interval + 1) * self.interval
        ts = np.arange(first, until + 1, self.interval, dtype=np.int64)
        self.made_until = max(until, self.made_until)
        if not len(ts):
            return
        for stamp, body in zip(ts, self.objects(ts, self.interval), strict=True):
            self.due.extend(self._deliver(int(stamp), body))

    def _deliver(self, stamp: int, body: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """When and how often a reading is sent: late, twice, or never."""
        one = np.array([stamp], dtype=np.int64)
        hit = {name: fault for name, fault in self.delivery.items() if fault.active(one)[0]}
        if "silent" in hit:
            return
        if late := hit.get("late"):
            self._held.append(body)
            if stamp + self.interval >= int(late.begin(one)[0]) + late.lasts:
                yield stamp, json.dumps(self._held)
                self._held = []
            return
        text = json.dumps(body)
        yield stamp, text
        if "duplicate" in hit:
            yield stamp, text

    def powered(self, now: int) -> bool:
        """Whether the device has power at this event time."""
        silent = self.delivery.get("silent")
        return not (silent and silent.active(np.array([now], dtype=np.int64))[0])


class Simulator:
    """Publishes a registry's plant.

    seed, start  event time (ms) at which the live phase begins; default: now. It then runs at real time.
    rate         messages a second in all; the meters report that much more often (at most once a ms each).
    faults       names of `faults.DESCRIPTIONS`, from `start` on.
    excursion_s  seconds after `start` at which NOx rises for three minutes; None: never.

    Blocking: run it in a thread (`await asyncio.to_thread(simulator.run)`); `stop()` may be called from any.
    Raises ConfigurationError for a bad address or fault, EnvironmentFailure if the broker is not there.
    """

    def __init__(
        self,
        plant: Plant,
        broker: Broker | str,
        *,
        seed: int = 1,
        start: int | None = None,
        faults: Sequence[str] = (),
        rate: float | None = None,
        excursion_s: float | None = 15.0,
    ) -> None:
        address = broker if isinstance(broker, Broker) else Broker.parse(broker)
        self._zero = time.monotonic()
        self.start = start if start is not None else int(time.time() * 1000)
        self.model = SimulatedPlant(plant, seed)
        if excursion_s is not None:
            self.model.excursion(self.start + int(excursion_s * 1000))
        planned = faults_.plan(faults_.parse(faults), self.model.meters, seed, self.start)
        faster = rate / sum(1000 / m.meter.every_ms for m in self.model.meters) if rate else 1.0
        self._devices = []
        for meter in self.model.meters:
            site = plant.sites[meter.meter.site]
            will = f"edge/{site.enterprise}/{site.name}/{meter.meter.name}/status"
            link = Link(address, f"{meter.meter.name}-{os.getpid()}", will=will)
            interval = max(1, round(meter.meter.every_ms / faster))
            self._devices.append(Device(meter, link, interval, planned))
        self._pump = Pump(d.link for d in self._devices)
        self._stop = threading.Event()
        self._connected = False
        self._until = self.start  # readings up to here are out
        self.published = 0

    def now(self) -> int:
        """The plant's time, ms: `start` plus what has passed since we were made."""
        return self.start + int((time.monotonic() - self._zero) * 1000)

    def stop(self) -> None:
        """End `backfill` and `run` soon, in order; from any thread."""
        self._stop.set()

    def backfill(
        self, hours: float = 24.0, every: int = MINUTE, progress: Progress | None = None, *, since: int | None = None
    ) -> int:
        """Publish the hours up to `start` at one reading per `every` ms; how many messages it took.

        `since` (event time, ms) instead of `hours`: what was published up to then is out already; the live
        phase then begins where the last full `every` ends.

        Arrays of ten minutes a message, all meters' before any meter's next ten: each slice waits for its
        PUBACKs. `progress(slices done, slices in all)` is called after each.
        """
        self._connect()
        last = self.start // every * every
        first = last - int(hours * HOUR) // every * every
        if since is not None:
            first, self._until = since // every * every, since
        slices, done, sent = -((first - last) // SLICE), 0, self.published
        for hour in range(first, last, HOUR):  # the values of an hour at once, its messages slice by slice
            ts = np.arange(hour + every, min(hour + HOUR, last) + 1, every, dtype=np.int64)
            bodies = [(device, device.objects(ts, every)) for device in self._devices]
            for edge in range(hour, min(hour + HOUR, last), SLICE):
                here = slice(*np.searchsorted(ts, (edge, edge + SLICE), side="right"))
                for device, objects in bodies:
                    device.link.publish(device.topic, json.dumps(objects[here]))
                    self.published += 1
                while not self._pump.drain(0.5) and not self._stop.is_set():
                    pass  # the broker is away: the pump reconnects and sends again
                if self._stop.is_set():
                    return self.published - sent
                self._until = min(edge + SLICE, last)
                done += 1
                if progress:
                    progress(done, slices)
        return self.published - sent

    def run(self) -> None:
        """Publish live until `stop()`, then say goodbye for every meter."""
        try:
            self._connect()
            for device in self._devices:
                device.made_until = self._until
            while not self._stop.is_set():
                self._send(self.now())
                self._pump.run(self._idle())
        finally:
            self._pump.close()

    def _connect(self) -> None:
        if not self._connected:
            self._pump.connect()
            self._connected = True

    def _send(self, now: int) -> None:
        """Publish what is due; a link that has no room leaves the rest for later, in order."""
        for device in self._devices:
            powered = device.powered(now)
            if powered != device.link.wanted:
                self._power(device, powered)
            if device.made_until < now:
                device.make(now + _AHEAD_MS)
            while device.due and device.due[0][0] <= now and device.link.room:
                device.link.publish(device.topic, device.due.popleft()[1])
                self.published += 1

    def _power(self, device: Device, on: bool) -> None:
        if on:
            device.link.wanted = True
        else:
            device.link.cut()

    def _idle(self) -> float:
        """Seconds until the next message is due."""
        now = self.now()
        due = min((d.due[0][0] for d in self._devices if d.due), default=now + 100)
        return min(max((due - now) / 1000, 0.001), 0.1)
