"""Scores, emissions and alarm events by hand."""

from __future__ import annotations

from typing import Any

from scoring.results import Emission, Score

T0 = 1_763_800_020_000
"""A whole minute."""


def score(**given: Any) -> Score:
    usual: dict[str, Any] = {
        "ts": T0, "scope": "line:acme/wuhu/pyro/k1", "level": "line", "degree": "lcd", "window": "1h",
        "value": 0.875, "numerator": 140.0, "denominator": 160.0,
        "unit": "t CO2", "output": 210.0, "output_unit": "t",
        "basis": "gross", "completeness": 1.0, "quality": "good", "operation": "running", "lifecycle": "live",
        "revision": 0, "reason": None, "known_at": T0, "stale": False, "last": T0,
    }  # fmt: skip
    return Score(**(usual | given))


def emission(**given: Any) -> Emission:
    usual: dict[str, Any] = {
        "ts": T0, "scope": "stack:acme/wuhu/tail", "pollutant": "nox", "average": "1h", "value": 48.5, "raw": 40.0,
        "raw_unit": "mg/m3", "unit": "mg/m3", "limit": 50.0, "headroom": 1.5, "allowed_mean": 52.0,
        "unavoidable_at": None, "valid": True, "valid_minutes": 60, "elapsed_minutes": 60, "block_minutes": 60,
        "completeness": 1.0, "quality": "good", "operation": "running", "lifecycle": "final", "revision": 0,
        "reason": None, "known_at": T0, "stale": False, "last": T0,
    }  # fmt: skip
    return Emission(**(usual | given))


def alarm_event(**given: Any) -> dict[str, Any]:
    usual = {
        "ts": T0, "event": "trip", "id": "nox-high", "scope": "stack:acme/wuhu/tail", "priority": "high",
        "state": "unacknowledged", "value": 57.0, "limit": 50, "unit": "mg/m3", "since": T0, "user": None,
        "comment": None, "shelved_until": None, "text": "NOx above its limit",
    }  # fmt: skip
    return usual | given
