"""Figure: a plant at its own pace with everything on, through a real broker into a real store: CPU and delays.

Every meter once a second. Besides these, a few lines of their own ("probes") report one after another, ten readings a
second in all, each line every two seconds: a scope's scores leave at most once a second, and at once for a scope
that was silent for a second. Each probe's reading is one tonne, so the line's output over a day tells how many are in.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from greengauge.bench.figures import Figures
from greengauge.bench.intake.influx import Influxd
from greengauge.bench.intake.mosquitto import Mosquitto
from greengauge.bench.intake.processes import find, module
from greengauge.bench.intake.scale import Place
from greengauge.bench.intake.service import ServiceProcess
from greengauge.bench.intake.workload import Workload

PROBES, EVERY_S = 20, 0.1
WARM_S = 15.0
POLL_S = 0.05
LATE_S = 20.0
"""A probe that is not seen by then after the end is lost, and the figure is wrong."""


class Probes:
    """Publishes probes, and notes when each is seen in a score on MQTT and by a query of InfluxDB."""

    def __init__(self, port: int, influx: Influxd, bucket: str) -> None:
        self.sent: list[list[float]] = [[] for _ in range(PROBES)]  # when, s, by probe
        self.scored: list[list[float]] = [[] for _ in range(PROBES)]  # after how many s
        self.times: dict[int, float] = {}  # the reading's ts -> when
        self.stored: dict[int, float] = {}  # the reading's ts -> after how many s
        self._influx, self._bucket, self._over = influx, bucket, threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench-probes")
        self._client.on_message = self._score
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("greengauge/score/line:acme/works/probes/+", qos=0)
        self._client.loop_start()
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()

    def publish(self, seconds: float) -> None:
        """One after another, for so long."""
        begin, count, ts = time.perf_counter(), 0, 0
        while (passed := time.perf_counter() - begin) < seconds:
            if passed < count * EVERY_S:
                time.sleep(count * EVERY_S - passed)
            probe, ts = count % PROBES, max(time.time_ns() // 1_000_000, ts + 1)  # behind time two would be one
            self.times[ts] = now = time.perf_counter()
            self.sent[probe].append(now)
            name = f"probe{probe:03d}"
            body = json.dumps({"ts": ts, "made": 1, "fed": 2})
            self._client.publish(f"plant/acme/works/probes/{name}/{name}", body, qos=1)
            count += 1

    def all_seen(self) -> bool:
        """In both ways."""
        return len(self.stored) == len(self.times) and sum(map(len, self.scored)) == len(self.times)

    def close(self) -> None:
        """End both threads."""
        self._over.set()
        self._asking.join()
        self._client.loop_stop()
        self._client.disconnect()

    def _score(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        now, probe = time.perf_counter(), int(message.topic[-3:])
        for score in json.loads(message.payload)["scores"]:
            if score["degree"] == "gd" and score["window"] == "24h" and score["output"] is not None:
                seen = self.scored[probe]
                while len(seen) < min(round(score["output"]), len(self.sent[probe])):
                    seen.append(now - self.sent[probe][len(seen)])

    def _ask(self) -> None:
        statement = "SELECT made FROM reading WHERE meter =~ /^probe/ AND time > now() - 30s"
        while not self._over.wait(POLL_S):
            rows = self._influx.rows(self._bucket, statement)
            now = time.perf_counter()
            for ts, _ in rows:
                if ts not in self.stored and ts in self.times:
                    self.stored[ts] = now - self.times[ts]


def steady(figures: Figures, place: Place) -> None:
    """CPU share, and from a reading's publishing to the score on MQTT and to a query's answer."""
    for program in ("mosquitto", "influxd"):
        if find(program) is None:
            figures.lack(program)
            return
    folder, seconds = place.new("steady"), place.scale.steady_s
    workload = Workload(place.scale.meters, probes=PROBES)
    registry = folder / "plant.toml"
    registry.write_text(workload.registry(history=False))
    with Mosquitto(folder) as real, Influxd(folder / "influxd") as influx:
        bucket = influx.bucket("steady")
        env = {"GREENGAUGE_INFLUX_ORG": "bench", "GREENGAUGE_INFLUX_BUCKET": bucket}
        with (
            ServiceProcess(folder, registry, real.port, store=influx.url, **env) as run,
            module("source", *workload.words(), "--to", str(real.port), folder=folder) as source,
        ):
            run.ready()
            source.told()
            source.ask(f"pace {workload.meters} {WARM_S + seconds}")
            time.sleep(WARM_S)
            probes = Probes(real.port, influx, bucket)
            try:
                used, spent, began = run.cpu(), influx.cpu(), time.perf_counter()
                probes.publish(seconds)
                wall, cpu, others = time.perf_counter() - began, run.cpu() - used, influx.cpu() - spent
                sent = source.told()
                end = time.monotonic() + LATE_S
                while not probes.all_seen() and time.monotonic() < end:
                    time.sleep(0.2)
            finally:
                probes.close()
            whole = [[0, 0]]
            while (not whole or whole[0][1] < sent["messages"]) and time.monotonic() < end:
                whole = influx.rows(bucket, "SELECT count(flow) FROM reading")
    good = probes.all_seen() and bool(whole) and whole[0][1] == sent["messages"]
    figures.say("steady_msgs_s", sent["messages"] / sent["wall_s"])
    figures.say("steady_seconds", wall)
    figures.say("steady_probes", len(probes.times))
    figures.reach("steady_core_percent", cpu / wall * 100, at_most=8)
    figures.say("steady_influxd_core_percent", others / wall * 100)
    _delays(figures, "steady_score", [s * 1000 for one in probes.scored for s in one], 50)
    _delays(figures, "steady_queryable", [s * 1000 for s in probes.stored.values()], 1000)
    figures.check("steady_check", "equal" if good else "not equal", "steady: not everything came out", good)


def _delays(figures: Figures, name: str, delays: list[float], goal_ms: float) -> None:
    ordered = sorted(delays) or [float("inf")]
    figures.say(f"{name}_p50_ms", ordered[len(ordered) // 2])
    figures.reach(f"{name}_p99_ms", ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], at_most=goal_ms)
