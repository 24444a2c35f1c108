"""The service as its users meet it: `greengauge run` in a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from greengauge.bench.intake.processes import Process

DOWN = "http://127.0.0.1:9"
"""A store that is down: the discard port, where nobody listens."""
CALM_S, BUSY = 1.0, 0.2
"""Calm is less than this share of a core over so long."""
AT_REST = 4096
"""Bytes of log that may be unread at the end: ticks come each second."""


class ServiceProcess(Process):
    """One run of it. It may be started again on the same folder."""

    def __init__(
        self, folder: Path, registry: Path, broker: int, *, stages: str = "scored", store: str = DOWN, **env: str
    ) -> None:
        """`broker`: its port; `stages`: the setting of that name."""
        self.began = time.monotonic()
        words = ["run", registry, "--data", folder / "data", "--broker", f"mqtt://127.0.0.1:{broker}"]
        super().__init__(
            [sys.executable, "-m", "greengauge", *words, "--store", store, "--port", "0"],
            folder,
            "service",
            {
                "GREENGAUGE_INFLUX_TOKEN": "bench-token",
                "GREENGAUGE_LOG_LEVEL": "warning",
                "GREENGAUGE_STAGES": stages,
                **env,
            },
        )
        try:
            self.page = self.line().split()[1]
        except BaseException:
            self.end()
            raise

    def get(self, path: str) -> Any:
        """GET a JSON answer, also one that comes with an error's status."""
        try:
            with urllib.request.urlopen(self.page + path, timeout=60) as answer:  # noqa: S310 - our own page
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            return json.load(refusal)

    def part(self, name: str) -> dict[str, Any]:
        """State of one part of it, told once a second; empty before it told. /readyz is the cheapest that tells it."""
        try:
            state: dict[str, Any] = self.get("/readyz")["parts"].get(name, {})
        except OSError:  # not up yet
            return {}
        return state

    def alive(self) -> bool:
        """Whether the page answers."""
        try:
            return bool(self.get("/healthz"))
        except OSError:
            return False

    def intakes(self) -> bool:
        """Whether it takes readings in."""
        try:
            return bool(self.get("/readyz")["ready"])
        except OSError:
            return False

    def ready(self, seconds: float = 300) -> float:
        """Wait until it takes readings in; seconds since its start."""
        self.until(self.intakes, seconds)
        return time.monotonic() - self.began

    def calm(self, seconds: float = 300) -> None:
        """Wait until it and its compiler do next to nothing: kernels are loaded, what is shown is shown."""
        end, calm = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            before = self.cpu_with_children()
            time.sleep(CALM_S)
            calm = calm + 1 if abs(self.cpu_with_children() - before) < BUSY * CALM_S else 0
            if calm == 2:  # one may lie between a compiler's end and what follows from it
                return
        raise self.failed(f"is not calm after {seconds:g} s")

    # --- how far it is ---------------------------------------------------------------------------

    def acknowledged(self) -> int:
        """Messages, since its start."""
        return int(self.part("intake").get("acknowledged", 0))

    def stored(self) -> int:
        """Readings (numbers), since its start."""
        return int(self.part("store").get("stored", 0))

    def decoded(self) -> bool:
        """Whether nothing is left to decode."""
        behind: dict[str, int] = self.part("log").get("behind", {})
        return behind.get("quarantine", AT_REST) < AT_REST

    def scored(self, scope: str, clock: int) -> bool:
        """Whether all of the log is in the engine, every step that can be closed is, and a line's live scores, which
        are shown once a second, are of `clock` (event time, ms).
        """
        state = self.part("scoring")
        if not state or state["unread"] >= AT_REST or state["behind"]:
            return False
        live = self.get(f"/api/v1/scores?scope={scope}&degree=lcd&window=1min")["scores"]
        return bool(live) and all(score["known_at"] >= clock for score in live)

    def rejects(self) -> int:
        """Messages in quarantine."""
        return int(self.part("quarantine").get("rows", 0))
