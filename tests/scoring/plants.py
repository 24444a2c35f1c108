"""Small plants for the tests of scoring, without a registry file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from devices.plant.model import (
    Channel,
    Intake,
    Kind,
    LcdChoice,
    Line,
    Meter,
    Plant,
    Running,
    Scope,
    Site,
)
from devices.units import Unit

TONNE = Unit("t", "mass", Fraction(1000))
MINUTE = 60_000
HOUR = 3_600_000


def channel(kind: Kind, name: str = "x", **more: Any) -> Channel:
    """A channel of step 1 in tonnes, read every minute, held for three."""
    given: dict[str, Any] = {
        "index": 0,
        "meter": 0,
        "field": name,
        "unit": TONNE,
        "step": Fraction(1),
        "every_ms": MINUTE,
        "max_gap_ms": 3 * MINUTE,
    }
    return Channel(kind=kind, name=name, **(given | more))


def plant(
    *channels: Channel,
    running: Running | None = None,
    windows: tuple[tuple[str, int], ...] = (("1min", MINUTE), ("1h", HOUR), ("24h", 24 * HOUR), ("30d", 720 * HOUR)),
    grace_ms: int = 15 * MINUTE,
    history: bool = False,
    zone: str = "Asia/Shanghai",
    **more: Any,
) -> Plant:
    """One line with one meter that has all the channels, in their order."""
    rows = tuple(replace(c, index=i) for i, c in enumerate(channels))
    every = min(c.every_ms for c in rows)
    meter = Meter(0, "m", 0, None, 0, "plant/acme/wuhu/pyro/k1/m", every, tuple(range(len(rows))))
    line = Line(
        0, "k1", "acme/wuhu/pyro/k1", 0, "pyro", "cement", None, "calendar", LcdChoice(), running, Fraction(0), (0,)
    )
    parts: dict[str, Any] = {
        "version": 1,
        "intake": Intake("", 72 * HOUR, MINUTE, grace_ms, history),
        "windows": tuple(w for w, _ in windows),
        "window_ms": tuple(ms for _, ms in windows),
        "sites": (Site(0, "wuhu", "acme", "CN", "anhui", zone, None),),
        "lines": (line,),
        "stacks": (),
        "meters": (meter,),
        "channels": rows,
        "scopes": (Scope(0, "line:acme/wuhu/pyro/k1", "line", (0,)),),
        "alarms": (),
        "products": {},
        "fuels": {},
        "materials": {},
        "factors": {},
        "benchmarks": {},
        "regimes": {},
    }
    return Plant(**(parts | more))
