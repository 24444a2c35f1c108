"""A made-up plant's results for tests of the page: `python -m tests.greengauge.page.driver` serves them."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.errors import ConfigurationError
from devices.plant import load
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.live import Live
from greengauge.page.context import PageContext
from greengauge.rewinding import Rewound
from ingest.clock import Clock
from scoring.results import Alarm, Changes, ChannelSum, Emission, Energy, Score

DEMO = Path(__file__).parents[3] / "devices" / "simulator" / "demo.toml"
ONE = Path(__file__).parents[2] / "devices" / "plant.example.toml"
MIN = 60_000
HOUR = 60 * MIN
LIMITS = {"nox": 50.0, "so2": 35.0, "pm": 10.0, "nh3": 8.0}
LEVELS = {"nox": 45.0, "so2": 17.0, "pm": 4.6, "nh3": 3.1}
BASE = {"gd": 0.91, "lcd": 0.95, "cd": 0.12, "sd": 0.66}


def score(scope: str = "line:acme/wuhu/pyro/k1", **changes: Any) -> Score:
    """A score with everything in it."""
    fields: dict[str, Any] = {
        "ts": 1_763_800_000_000,
        "scope": scope,
        "level": scope.partition(":")[0],
        "degree": "lcd",
        "window": "1h",
        "value": 0.874767,
        "numerator": 145.53,
        "denominator": 166.36428,
        "unit": "t CO2",
        "output": 210.0,
        "output_unit": "t",
        "basis": "gross",
        "completeness": 0.98,
        "quality": "good",
        "operation": "running",
        "lifecycle": "live",
        "revision": 0,
        "reason": None,
        "known_at": 1_763_800_000_000,
        "stale": False,
        "last": 1_763_800_000_000,
    }
    return Score(**fields | changes)


def emission(scope: str = "stack:acme/wuhu/tail", **changes: Any) -> Emission:
    """An emission with everything in it."""
    fields: dict[str, Any] = {
        "ts": 1_763_800_000_000,
        "scope": scope,
        "pollutant": "nox",
        "average": "1h",
        "value": 48.1,
        "raw": 61.0,
        "raw_unit": "mg/m3",
        "unit": "mg/m3",
        "limit": 50.0,
        "headroom": 1.9,
        "allowed_mean": 52.0,
        "unavoidable_at": None,
        "valid": True,
        "valid_minutes": 32,
        "elapsed_minutes": 32,
        "block_minutes": 60,
        "completeness": 1.0,
        "quality": "good",
        "operation": "running",
        "lifecycle": "live",
        "revision": 0,
        "reason": None,
        "known_at": 1_763_800_000_000,
        "stale": False,
        "last": 1_763_800_000_000,
    }
    return Emission(**fields | changes)


def energy(scope: str = "line:acme/wuhu/pyro/k1", **changes: Any) -> Energy:
    """A specific energy with everything in it."""
    fields: dict[str, Any] = {
        "ts": 1_763_800_000_000,
        "scope": scope,
        "level": scope.partition(":")[0],
        "energy": "comprehensive",
        "product": "clinker",
        "window": "1h",
        "value": 105.0,
        "numerator": 21_000.0,
        "denominator": 200.0,
        "unit": "kgce/t",
        "output": 200.0,
        "output_unit": "t",
        "basis": "fuel + electricity at 0.1229 kgce/kWh",
        "boundary": "stage",
        "norm": "GB 16780-2021 clinker",
        "norm_level": 2,
        "levels": (100.0, 107.0, 117.0),
        "next": 100.0,
        "distance": 5.0,
        "distance_percent": 5.0,
        "completeness": 0.98,
        "quality": "good",
        "operation": "running",
        "lifecycle": "live",
        "revision": 0,
        "reason": None,
        "known_at": 1_763_800_000_000,
        "stale": False,
        "last": 1_763_800_000_000,
    }
    return Energy(**fields | changes)


def alarm(**changes: Any) -> Alarm:
    """An alarm that nobody has seen yet."""
    fields: dict[str, Any] = {
        "id": "nox-high",
        "scope": "stack:acme/wuhu/tail",
        "priority": "high",
        "state": "unacknowledged",
        "value": 57.0,
        "limit": 50.0,
        "unit": "mg/m3",
        "since": 1_763_799_990_000,
        "text": "NOx, one-minute average",
    }
    return Alarm(**fields | changes)


class Driver:
    """Plausible, moving results for any plant; `commands` keeps what operators asked for."""

    def __init__(self, plant: Plant, folder: Path, *, token: str | None = None) -> None:
        self.plant = plant
        self.live = Live(plant, simulated=True)
        self.history = History(folder / "history.db")
        self.commands: list[dict[str, Any]] = []
        self.specific: list[Energy] = []
        self.ready = True
        self.jumped = 0  # ms, by which the wall clock is said to have jumped
        self.alarms: dict[tuple[str, str], Alarm] = {}
        self.silent: set[str] = set()  # scopes whose readings have stopped
        self.stopped = 0  # when they did, ms
        self.context = PageContext(
            live=self.live,
            history=self.history,
            command=self.command,
            sums=self.sums,
            why=self.why,
            energies=self.energies,
            ready=lambda: (self.ready, self.live.system()),
            clock=Clock(),
            accept_clock=self.accept_clock,
            rewind=self.rewind,
            token=token,
            version="0.1.0",
        )

    async def command(self, asked: dict[str, Any]) -> Alarm:
        """As the service: applied, and the alarm as it then is."""
        self.commands.append(asked)
        key = asked["scope"], asked["id"]
        known = self.alarms[key]
        if asked["do"] == "acknowledge" and known.state not in ("unacknowledged", "returned"):
            raise ConfigurationError(f"the alarm is {known.state}: nothing to acknowledge", where="/".join(key))
        state = {"acknowledge": "acknowledged", "shelve": "shelved", "unshelve": "normal"}[asked["do"]]
        until = self.live.clock + asked["for_ms"] if asked["do"] == "shelve" else None
        self.alarms[key] = replace(
            known,
            state=state,  # type: ignore[arg-type] # one of them
            user=asked["user"],
            comment=asked["comment"] or None,
            shelved_until=until,
        )
        self.live.put_scores([], [], list(self.alarms.values()))
        return self.alarms[key]

    async def rewind(self, to: int) -> Rewound:
        """As the service; the made-up log reaches back to 2025-11-22T08:26:40Z."""
        reach = 1_763_800_000_000
        return Rewound(0, to, reach, to >= reach, 1000)

    async def accept_clock(self) -> int:
        """As the service: by how much it had jumped."""
        offset, self.jumped = self.jumped, 0
        return offset

    async def sums(self, ts: int | None, windows: Sequence[int], channels: Sequence[int]) -> list[ChannelSum]:
        """One, whatever is asked for."""
        assert windows
        assert channels
        return [ChannelSum(ts or self.live.clock, "k1-kiln", "feed", "1h", "340.000000000", 1.0, "t")]

    async def why(self, *_: Any) -> Any:
        """A made-up plant has no sums to split."""
        raise ConfigurationError("the sums are not kept", where="before", mend="choose a shorter window")

    async def energies(self) -> list[Energy]:
        """As many as a test asked for."""
        return self.specific

    def fill(self, now: int, hours: int = 9) -> None:
        """The history up to now."""
        for ts in range((now - hours * HOUR) // MIN * MIN, now, 2 * MIN):
            self.history.add(Changes(tuple(self.scores(ts)), tuple(self.emissions(ts)), ()))

    def step(self, now: int) -> None:
        """One refresh, as the scorer does it."""
        self.live.clock = now
        emissions = self.emissions(now)
        self._alarms(now, emissions)
        self.live.put_scores(self.scores(now), emissions, list(self.alarms.values()))
        self.live.put_meters({m.name: {"last": now - 400, "silent": False} for m in self.plant.meters})
        self.live.put_system(
            "intake", {"state": "ok", "connected": True, "messages": now // 1000 % 10**6, "text": "ok"}
        )
        late = 40 if (now // 30_000) % 2 else 0
        text = f"late {late} s" if late else "ok"
        self.live.put_system("store", {"name": "embedded", "state": "ok", "late_s": late, "text": text})
        self.live.put_system("log", {"bytes": 1 << 24, "behind": {"store": 4096, "scores": 0}, "text": "ok"})
        self.live.put_system("quarantine", {"rows": 3, "share": 0.0, "reasons": {"unit": 3}, "text": "3 messages"})
        self.live.put_system("scoring", {"behind": 0, "text": "ok"})

    def scores(self, now: int) -> list[Score]:
        """Every scope, degree and window."""
        found = []
        for index, scope in enumerate(self.plant.scopes):
            silent = scope.id in self.silent
            at = self.stopped if silent else now
            idle = scope.id.endswith("/mm1")
            for degree, base in BASE.items():
                if degree == "cd" and index % 5 == 3:
                    continue
                for window, ms in zip(self.plant.windows, self.plant.window_ms, strict=True):
                    if (degree == "sd" and ms < 24 * HOUR) or (degree in ("lcd", "gd") and ms < HOUR):
                        continue
                    swing = math.sin(at / 1_700_000 + index) * 0.06 + math.sin(at / 9_000 + index * 3) * 0.006
                    value = round(max(0.01, base + swing - 0.03 * (index % 4)), 6)
                    denominator = 166.364 * ms / HOUR
                    partial = degree == "cd" and index % 5 == 0
                    found.append(
                        score(
                            scope.id,
                            ts=now // 1000 * 1000,
                            level=scope.level,
                            degree=degree,
                            window=window,
                            value=None if idle else value,
                            numerator=0.0 if idle else value * denominator,
                            denominator=denominator,
                            unit="t CO2" if degree == "lcd" else "t" if degree != "sd" else "person-h",
                            output=0.0 if idle else 210.0 * ms / HOUR,
                            output_unit="t",
                            basis="gross" if degree == "lcd" else "",
                            completeness=0.71 if partial else 0.985,
                            quality="uncertain" if partial else "good",
                            operation="idle" if idle else "running",
                            reason="output below min_output"
                            if idle
                            else "71 % of the window measured"
                            if partial
                            else None,
                            known_at=now,
                            stale=silent,
                            last=at - 900,
                        )
                    )
        return found

    def emissions(self, now: int) -> list[Emission]:
        """Each stack's pollutants: the rolling minute, the hour so far and the day."""
        found = []
        minute = now // MIN % 60
        for index, stack in enumerate(self.plant.stacks):
            scope = f"stack:{stack.id}"
            silent = scope in self.silent
            at = self.stopped if silent else now
            for pollutant, base in LEVELS.items():
                level = base * (1 + 0.08 * math.sin(at / 40_000 + index)) + (
                    6 if pollutant == "nox" and not index else 0
                )
                hour = base * (1.02 + 0.02 * math.sin(at / 900_000))
                limit = LIMITS[pollutant]
                left = max(1, 60 - minute)
                allowed = (limit * 60 - hour * minute) / left
                common: dict[str, Any] = {
                    "pollutant": pollutant, "limit": limit, "known_at": now, "stale": silent, "last": at - 700,
                }  # fmt: skip
                gone = silent and pollutant == "pm"
                found.append(
                    emission(scope, **common, average="1min", value=None if gone else level, ts=now, allowed_mean=None)
                )
                found.append(
                    emission(
                        scope,
                        **common,
                        average="1h",
                        value=hour,
                        ts=now // HOUR * HOUR,
                        headroom=limit - hour,
                        allowed_mean=allowed,
                        unavoidable_at=now + 25 * MIN if level > allowed else None,
                        valid_minutes=max(0, minute - 2),
                        elapsed_minutes=minute,
                    )
                )
        return found

    def close(self) -> None:
        """Free the file."""
        self.history.close()

    def _alarms(self, now: int, emissions: Sequence[Emission]) -> None:
        for e in emissions:
            if e.average != "1min" or e.limit is None or e.pollutant not in ("nox", "so2"):
                continue
            key = e.scope, f"{e.pollutant}-high"
            known = self.alarms.get(key)
            over = e.value is not None and e.value >= e.limit
            fresh = alarm(
                id=key[1],
                scope=e.scope,
                state="unacknowledged" if over else "normal",
                value=e.value,
                limit=e.limit,
                since=now,
                text=f"{e.pollutant.upper()} over its limit, 1 min",
            )
            if known is None or (known.state == "normal" and over):
                self.alarms[key] = fresh
            else:
                self.alarms[key] = replace(known, value=e.value)


async def main(registry: Path, port: int, folder: Path) -> None:
    """Serve until interrupted."""
    from greengauge.page.app import build
    from greengauge.page.server import PageServer

    page = PageServer("127.0.0.1", port)
    sys.stdout.write(f"page {page.url}\n")
    sys.stdout.flush()
    driver = Driver(load(registry), folder)
    page.serve(build(driver.context))
    serving = asyncio.create_task(page.run(), name="page")
    now = time.time_ns() // 1_000_000
    driver.step(now)
    await asyncio.to_thread(driver.fill, now)
    while not serving.done():
        driver.step(time.time_ns() // 1_000_000)
        await asyncio.sleep(1)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as made, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO, 8440, Path(made)))
