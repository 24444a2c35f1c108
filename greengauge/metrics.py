"""Metrics for Prometheus, read from `Live` at scrape time: nothing is counted twice. Base units, `greengauge_`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from greengauge.live import Live

_COUNTERS = (
    ("intake", "messages", "greengauge_intake_messages", "messages taken in"),
    ("intake", "bytes", "greengauge_intake_bytes", "bytes taken in"),
    ("intake", "acknowledged", "greengauge_intake_acknowledged", "messages acknowledged to the broker"),
    ("intake", "reconnects", "greengauge_intake_reconnects", "connections to the broker after the first"),
    ("intake", "unguaranteed", "greengauge_intake_unguaranteed", "messages that came at QoS 0"),
    ("intake", "missing", "greengauge_intake_missing", "messages that sequence numbers say never came"),
    ("intake", "possible_losses", "greengauge_intake_possible_losses", "times the broker may have lost messages"),
    ("store", "stored", "greengauge_store_readings", "readings stored"),
    ("log", "damages", "greengauge_log_damages", "damaged places found in the log"),
)
_GAUGES = (
    ("intake", "pressed", "greengauge_intake_stopped", "1 while reading is stopped because the log's quota is full"),
    ("log", "bytes", "greengauge_log_bytes", "bytes of log segments on disk"),
    ("log", "segments", "greengauge_log_segments", "log segments on disk"),
    ("log", "pressure", "greengauge_log_pressure_ratio", "share of the log's quota that some reader still needs"),
    ("log", "disk_full", "greengauge_log_disk_full", "1 while the disk is full and the log's reserve given up"),
    ("store", "late_s", "greengauge_store_late_seconds", "how far the store is behind"),
    ("quarantine", "rows", "greengauge_quarantine_messages", "messages kept in quarantine"),
    ("quarantine", "share", "greengauge_quarantine_fill_ratio", "how full the quarantine is"),
    ("scoring", "behind", "greengauge_scoring_behind_steps", "closed steps not yet scored"),
    ("restating", "jobs", "greengauge_restating_jobs", "stretches of the past still to be told anew"),
    ("restating", "share", "greengauge_restating_done_ratio", "how far the one at work is; 1 where there is none"),
)


def registry(live: Live, version: str, now: Callable[[], int]) -> CollectorRegistry:
    """A registry of its own, with nothing of the process's default one."""
    own = CollectorRegistry()
    own.register(LiveCollector(live, version, now))
    return own


class LiveCollector(Collector):
    """Everything `Live` knows, as samples."""

    def __init__(self, live: Live, version: str, now: Callable[[], int]) -> None:
        self._live, self._version, self._now = live, version, now

    def describe(self) -> list[Metric]:
        """Nothing is known before the first scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """One scrape."""
        yield InfoMetricFamily("greengauge_build", "what runs here", value={"version": self._version})
        yield from self._system(self._live.system())
        yield from self._meters()
        yield from self._results()

    def _system(self, system: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
        for part, key, name, help_ in _COUNTERS:
            if _number(system.get(part, {}).get(key)):
                yield CounterMetricFamily(name, help_, value=system[part][key])
        for part, key, name, help_ in _GAUGES:
            if _number(system.get(part, {}).get(key)):
                yield GaugeMetricFamily(name, help_, value=system[part][key])
        if "intake" in system:
            connected = bool(system["intake"].get("connected"))
            yield GaugeMetricFamily("greengauge_intake_connected", "1 while the broker is connected", value=connected)
        behind = GaugeMetricFamily("greengauge_log_behind_bytes", "log bytes behind each cursor", labels=["cursor"])
        for cursor, size in system.get("log", {}).get("behind", {}).items():
            behind.add_metric([cursor], size)
        yield behind
        rejects = CounterMetricFamily("greengauge_rejects", "messages and values not let in", labels=["reason"])
        for reason, count in system.get("quarantine", {}).get("reasons", {}).items():
            rejects.add_metric([reason], count)
        yield rejects
        refused = CounterMetricFamily(
            "greengauge_outputs_refused", "scores and alarm events that the store will never take", labels=["reason"]
        )
        for reason, count in system.get("store outputs", {}).get("refused", {}).items():
            refused.add_metric([reason], count)
        yield refused
        if self._live.clock:
            late = max(0, self._now() - self._live.clock) / 1000
            yield GaugeMetricFamily("greengauge_scoring_late_seconds", "now less the engine's clock", value=late)

    def _meters(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("greengauge_meter_age_seconds", "age of the meter's newest reading", labels=["meter"])
        silent = GaugeMetricFamily("greengauge_meter_silent", "1 while the meter is silent", labels=["meter"])
        now = self._now()
        for name, state in self._live.meters().items():
            if state.get("last") is not None:
                age.add_metric([name], max(0, now - state["last"]) / 1000)
            silent.add_metric([name], bool(state.get("silent")))
        yield age
        yield silent

    def _results(self) -> Iterator[Metric]:
        names = ["scope", "level", "degree", "window"]
        value = GaugeMetricFamily("greengauge_score_ratio", "a degree, live", labels=names)
        complete = GaugeMetricFamily("greengauge_score_completeness_ratio", "its completeness", labels=names)
        stale = GaugeMetricFamily("greengauge_score_stale", "1 while a required channel is silent", labels=names)
        for s in self._live.scores():
            labels = [s.scope, s.level, s.degree, s.window]
            if s.value is not None:
                value.add_metric(labels, s.value)
            complete.add_metric(labels, s.completeness)
            stale.add_metric(labels, s.stale)
        yield from (value, complete, stale)
        emission = GaugeMetricFamily(
            "greengauge_emission_milligrams_per_cubic_meter",
            "normalised concentration, indicative",
            labels=["scope", "pollutant", "average"],
        )
        for e in self._live.emissions():
            if e.value is not None:
                emission.add_metric([e.scope, e.pollutant, e.average], e.value)
        yield emission
        alarms = GaugeMetricFamily("greengauge_alarms", "alarms in each state", labels=["state", "priority"])
        for (state, priority), count in sorted(Counter((a.state, a.priority) for a in self._live.alarms()).items()):
            alarms.add_metric([state, priority], count)
        yield alarms


def _number(value: Any) -> bool:
    return isinstance(value, int | float)
