"""Scores, emissions and alarm events as points for the store. Tags, fields and codes: docs/influxdb.md.

A stored field cannot be taken back, only overwritten. So what may vanish when a score is restated is
never left out silently: `withheld` says whether `value` still stands, and texts are written even when empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.plant.model import Plant, Site
from ingest.line_protocol import Value, point
from scoring.results import Emission, Energy, Score

QUALITY = {"good": 0, "uncertain": 1, "bad": 2}
OPERATION = {"running": 0, "idle": 1, "heat-up": 2, "stopped": 3}
LIFECYCLE = {"live": 0, "final": 1, "restated": 2}
BREACH = {None: 0, "none": 0, "within": 1, "beyond": 2}

Tags = dict[str, str]


def degree_point(score: Score, plant: Plant, *, simulated: bool) -> bytes:
    """One score as a line of `degree`, at its step's stamp."""
    tags = _tags(plant, score.scope) | {
        "level": score.level,
        "degree": score.degree,
        "window": score.window,
        "simulated": _tag(simulated),
    }
    fields: dict[str, Value | None] = {
        "value": _number(score.value),
        "numerator": float(score.numerator),
        "denominator": float(score.denominator),
        "output": float(score.output),
        "low": _number(score.low),
        "high": _number(score.high),
        "uncertainty_missing": _number(score.uncertainty_missing),
        "basis": score.basis,
    }
    fields |= {f"detail_{name}": float(v) for name, v in score.detail.items()}
    return point("degree", tags, fields | _common(score), score.ts)


def emission_point(emission: Emission, plant: Plant, *, simulated: bool) -> bytes:
    """One average of one pollutant as a line of `emission`, at its block's start or, rolling, its step."""
    tags = _tags(plant, emission.scope) | {
        "level": "stack",
        "pollutant": emission.pollutant,
        "average": emission.average,
        "simulated": _tag(simulated),
    }
    fields: dict[str, Value | None] = {
        "value": _number(emission.value),
        "raw": _number(emission.raw),
        "limit": _number(emission.limit),
        "headroom": _number(emission.headroom),
        "allowed_mean": _number(emission.allowed_mean),
        "unavoidable_at": float(emission.unavoidable_at or 0),
        "valid": int(emission.valid),
        "valid_minutes": float(emission.valid_minutes),
        "elapsed_minutes": float(emission.elapsed_minutes),
        "block_minutes": float(emission.block_minutes),
        "low": _number(emission.low),
        "high": _number(emission.high),
        "breach": BREACH[emission.breach],
    }
    fields |= {name: _number(v) for name, v in emission.extra.items()}
    return point("emission", tags, fields | _common(emission), emission.ts)


def energy_point(energy: Energy, plant: Plant, *, simulated: bool) -> bytes:
    """One specific energy as a line of `energy`, at its step's stamp."""
    tags = _tags(plant, energy.scope) | {
        "level": energy.level,
        "energy": energy.energy,
        "product": energy.product,
        "window": energy.window,
        "simulated": _tag(simulated),
    }
    fields: dict[str, Value | None] = {
        "value": _number(energy.value),
        "numerator": float(energy.numerator),
        "denominator": float(energy.denominator),
        "output": float(energy.output),
        "basis": energy.basis,
        "boundary": energy.boundary,
        "norm": energy.norm or "",
        "norm_level": energy.norm_level or 0,
        "judged": int(energy.norm_level is not None or energy.next is not None),
        "next": _number(energy.next),
        "distance": _number(energy.distance),
        "distance_percent": _number(energy.distance_percent),
    }
    return point("energy", tags, fields | _common(energy), energy.ts)


def alarm_point(event: Mapping[str, Any]) -> bytes:
    """One step of an alarm's life as a line of `alarm`. `event`: `ts`, `event` and the alarm object's keys."""
    fields: dict[str, Value | None] = {
        "event": event["event"],
        "state": event["state"],
        "value": _number(event["value"]),
        "limit": _number(event["limit"]),
        "unit": event["unit"],
        "user": event["user"] or "",
        "comment": event["comment"] or "",
        "text": event["text"],
    }
    tags = {name: event[name] for name in ("scope", "id", "priority")}
    return point("alarm", tags, fields, event["ts"])


def _common(result: Score | Emission | Energy) -> dict[str, Value | None]:
    return {
        "withheld": int(result.value is None),
        "reason": result.reason or "",
        "unit": result.unit,
        "completeness": float(result.completeness),
        "quality": QUALITY[result.quality],
        "operation": OPERATION[result.operation],
        "lifecycle": LIFECYCLE[result.lifecycle],
        "revision": result.revision,
        "stale": int(result.stale),
        "known_at": float(result.known_at),
    }


def _number(v: float | None) -> float | None:
    """Always a float, so that a whole number never makes an integer field."""
    return None if v is None else float(v)


def _tag(flag: bool) -> str:
    return "true" if flag else "false"


_cache: tuple[Plant, dict[str, Tags]] | None = None  # of the one plant in use: a registry reload replaces it


def _tags(plant: Plant, scope: str) -> Tags:
    global _cache
    cache = _cache
    if cache is None or cache[0] is not plant:
        cache = _cache = (plant, _scope_tags(plant))
    return cache[1].get(scope) or _gone(scope)


def _scope_tags(plant: Plant) -> dict[str, Tags]:
    """Tags of every scope: what all its lines have in common by its level, never one line's by chance."""
    tags: dict[str, Tags] = {}
    for scope in plant.scopes:
        line = plant.lines[scope.lines[0]]
        site = plant.sites[line.site]
        match scope.level:
            case "line":
                tags[scope.id] = _place(site) | {"area": line.area, "line": line.name, "industry": line.industry}
            case "area":
                tags[scope.id] = _place(site) | {"area": line.area}
            case "site":
                tags[scope.id] = _place(site)
            case "enterprise":
                tags[scope.id] = {"enterprise": site.enterprise}
            case "industry":
                tags[scope.id] = {"industry": line.industry}
            case "region":
                tags[scope.id] = {"country": site.country, "region": site.region}
            case "country":
                tags[scope.id] = {"country": site.country}
    for stack in plant.stacks:
        industries = {plant.lines[i].industry for i in stack.lines}
        shared = {"industry": industries.pop()} if len(industries) == 1 else {}
        tags[f"stack:{stack.id}"] = _place(plant.sites[stack.site]) | {"stack": stack.name} | shared
    return tags


_LEVELS = {
    "line": ("enterprise", "site", "area", "line"),
    "area": ("enterprise", "site", "area"),
    "site": ("enterprise", "site"),
    "enterprise": ("enterprise",),
    "industry": ("industry",),
    "region": ("country", "region"),
    "country": ("country",),
    "stack": ("enterprise", "site", "stack"),
}


def _gone(scope: str) -> Tags:
    """Tags of a scope that the registry had when it was scored and has no more: what its id tells."""
    level, _, path = scope.partition(":")
    names = _LEVELS[level]
    return dict(zip(names, path.split("/", len(names) - 1), strict=True))


def _place(site: Site) -> Tags:
    return {"country": site.country, "region": site.region, "enterprise": site.enterprise, "site": site.name}
