"""Small hand-made plants for tests that need no registry file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from devices.plant.model import Channel, Intake, Kind, Meter, Plant
from devices.units import Unit

TONNE = Unit("t", "mass", Fraction(1000))


def channel(name: str, **changes: Any) -> Channel:
    """A channel; its place in the plant is filled in by `plant`."""
    fields: dict[str, Any] = {
        "field": name,
        "kind": Kind.LEVEL,
        "unit": TONNE,
        "step": Fraction(1, 10**6),
        "every_ms": 1000,
        "max_gap_ms": 3000,
    }
    return Channel(index=-1, meter=-1, name=name, **fields | changes)


def plant(meters: dict[str, Sequence[Channel]], *, topics: dict[str, str] | None = None, **intake: Any) -> Plant:
    """A plant with these meters and nothing to score."""
    channels: list[Channel] = []
    rows: list[Meter] = []
    for index, (name, own) in enumerate(meters.items()):
        first = len(channels)
        channels += [replace(c, index=first + k, meter=index) for k, c in enumerate(own)]
        topic = (topics or {}).get(name, f"plant/acme/wuhu/pyro/k1/{name}")
        rows.append(Meter(index, name, None, None, 0, topic, 1000, tuple(range(first, len(channels)))))
    window = {
        "topic": "plant/{enterprise}/{site}/{area}/{line}/{meter}",
        "past_ms": 72 * 3_600_000,
        "future_ms": 60_000,
    }
    empty: dict[str, Any] = {key: {} for key in ("products", "fuels", "materials", "factors", "benchmarks", "regimes")}
    return Plant(
        version=1,
        intake=Intake(**{**window, "grace_ms": 900_000, "history": False} | intake),
        windows=("1min",),
        window_ms=(60_000,),
        sites=(),
        lines=(),
        stacks=(),
        meters=tuple(rows),
        channels=tuple(channels),
        scopes=(),
        alarms=(),
        **empty,
    )
