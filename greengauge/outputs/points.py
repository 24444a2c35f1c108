"""Scores, emissions and alarm events as points for the store. Tags, fields and codes: docs/influxdb.md.

A stored field cannot be taken back, only overwritten. So what may vanish when a score is restated is
never left out silently: `withheld` says whether `value` still stands, and texts are written even when empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import add
from typing import Any, NamedTuple

from devices.plant.model import Plant, Site
from greengauge.history.rows import Frozen, Key
from ingest.line_protocol import Value, head, name, point, value

QUALITY = {"good": 0, "uncertain": 1, "bad": 2}
OPERATION = {"running": 0, "idle": 1, "heat-up": 2, "stopped": 3}
LIFECYCLE = {"live": 0, "final": 1, "restated": 2}
BREACH = {None: 0, "none": 0, "within": 1, "beyond": 2}

Tags = dict[str, str]

_FLOATS = {
    "degree": ("numerator", "denominator", "output", "low", "high", "uncertainty_missing"),
    "energy": ("numerator", "denominator", "output", "next", "distance", "distance_percent"),
    "emission": (
        "raw", "limit", "headroom", "allowed_mean", "valid_minutes", "elapsed_minutes", "block_minutes", "low", "high",
    ),
}  # fmt: skip
"""Numbers of a row's body; left out where there is none."""
_FORMS = 65_536


class Points:
    """Rows of the history as lines of `degree`, `emission` and `energy`, each at its step's or block's stamp.

    A line is made of the row's own text as far as that goes, and of what is worked out once for its series: making
    scores of rows and points of scores took 42 µs each, and a closed minute of a hundred lines is 2,500 of them.
    """

    def __init__(self, plant: Plant) -> None:
        self._tags = _scope_tags(plant)
        self._forms: dict[tuple[Key, str, bool], _Form] = {}

    def line(self, row: Frozen, *, simulated: bool) -> bytes:
        """One point. ValueError if line protocol cannot carry it."""
        form = self._forms.get(known := (row.key, row.constant, simulated))
        if form is None:
            if len(self._forms) >= _FORMS:
                self._forms.clear()
            form = self._forms[known] = self._form(row, simulated=simulated)
        body, numbers = row.fields(form.shared)
        kind = row.key[0]
        fields = [f"{name}={float(v)!r}" for name in _FLOATS[kind] if (v := body.get(name)) is not None]
        if row.value is not None:
            fields.append(f"value={float(row.value)!r}")
        if kind == "emission":
            fields += _of_emission(body)
        elif kind == "energy":
            level, following = body.get("norm_level"), body.get("next")
            fields += [f"norm_level={level or 0}i", f"judged={int(level is not None or following is not None)}i"]
        elif "basis" in body:  # a row of the first format
            fields.append(f"basis={_quoted(body['basis'])}")
        fields += [
            f"withheld={int(row.value is None)}i",
            f"reason={_quoted(body['reason'] or '')}",
            f"completeness={float(body['completeness'])!r}",
            f"quality={QUALITY[body['quality']]}i",
            f"operation={OPERATION[body['operation']]}i",
            f"lifecycle={LIFECYCLE[row.lifecycle]}i",
            f"revision={row.revision}i",
            f"stale={int(body['stale'])}i",
            f"known_at={float(row.known_at)!r}",
        ]
        return f"{form.head}{','.join([*fields, *map(add, form.names, numbers)])} {row.ts}".encode()

    def _form(self, row: Frozen, *, simulated: bool) -> _Form:
        kind, scope, second, third = row.key
        shared: dict[str, Any] = json.loads(row.constant)
        tags = (self._tags.get(scope) or _gone(scope)) | {
            "level": shared.get("level", "stack"),
            "simulated": "true" if simulated else "false",
        }
        texts = {"unit": shared["unit"]}
        if kind == "emission":
            tags |= {"pollutant": second, "average": third}
        elif kind == "energy":
            tags |= {"energy": shared["energy"], "product": shared["product"], "window": third}
            texts |= {name: shared[name] or "" for name in ("basis", "boundary", "norm")}
        else:
            tags |= {"degree": second, "window": third}
            texts |= {"basis": shared["basis"]} if "basis" in shared else {}
        fixed = ",".join(f"{name}={_quoted(text)}" for name, text in texts.items())
        names = [f"{name(f'detail_{one}').decode()}=" for one in shared.get("detail", ())]
        return _Form(f"{head(kind, tags).decode()} {fixed},", names, shared)


class _Form(NamedTuple):
    """What is the same in all rows of a series."""

    head: str  # measurement, tags, and the first fields
    names: list[str]  # of the details
    shared: dict[str, Any]


def _of_emission(body: Mapping[str, Any]) -> list[str]:
    extra = body.get("extra", {}).items()
    return [
        f"unavoidable_at={float(body['unavoidable_at'] or 0)!r}",
        f"valid={int(body['valid'])}i",
        f"breach={BREACH[body.get('breach')]}i",
        *(f"{name(one).decode()}={float(v)!r}" for one, v in extra if v is not None),
    ]


def _quoted(text: str) -> str:
    return value(text).decode()


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


def _number(v: float | None) -> float | None:
    """Always a float, so that a whole number never makes an integer field."""
    return None if v is None else float(v)


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
