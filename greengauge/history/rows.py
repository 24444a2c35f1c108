"""One score or emission as a row: what is the same in most rows of its series stands apart, once.

That `constant` part (units, level, basis, names of the detail) is a row of its own, shared by all that have the
same; a changed registry makes another one, and older rows keep theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic_core import to_json

from scoring.results import Emission, Energy, Score

Told = Score | Emission | Energy
Key = tuple[str, str, str, str]
"""What a series is: kind; scope; degree, pollutant, or energy and product; window or average."""

_COLUMNS = {"ts", "revision", "lifecycle", "known_at", "value"}
"""Columns of their own; the series' key stands in `series`."""


def _rest(of: type[Told], first: Sequence[str], elsewhere: set[str]) -> tuple[str, ...]:
    """The body's fields: those of the first format in their order, then what the record has got since."""
    return (*first, *(n for n in of.__dataclass_fields__ if n not in {*first, *elsewhere, *_COLUMNS}))


_SCORE_CONSTANT = ("level", "unit", "output_unit", "basis")
_SCORE_BODY = _rest(
    Score,
    ("numerator", "denominator", "output", "completeness", "quality", "operation", "reason", "stale", "last"),
    {*_SCORE_CONSTANT, "scope", "degree", "window", "detail"},
)
_SCORE_BODY_1 = (*_SCORE_BODY[:3], "basis", *_SCORE_BODY[3:])
"""Of the first format, whose basis stood in each row and which kept no detail."""
_EMISSION_CONSTANT = ("raw_unit", "unit")
_EMISSION_BODY = _rest(
    Emission,
    (
        "raw", "limit", "headroom", "allowed_mean", "unavoidable_at", "valid", "valid_minutes", "elapsed_minutes",
        "block_minutes", "completeness", "quality", "operation", "reason", "stale", "last",
    ),
    {*_EMISSION_CONSTANT, "scope", "pollutant", "average"},
)  # fmt: skip
_ENERGY_CONSTANT = ("level", "unit", "output_unit", "energy", "product", "basis", "boundary", "norm", "levels")
_ENERGY_BODY = _rest(Energy, (), {*_ENERGY_CONSTANT, "scope", "window"})

_Get = Callable[[Any], tuple[Any, ...]]
_score_constant: _Get = attrgetter(*_SCORE_CONSTANT)
_score_body: _Get = attrgetter(*_SCORE_BODY)
_emission_constant: _Get = attrgetter(*_EMISSION_CONSTANT)
_emission_body: _Get = attrgetter(*_EMISSION_BODY)
_energy_constant: _Get = attrgetter(*_ENERGY_CONSTANT)
_energy_body: _Get = attrgetter(*_ENERGY_BODY)


def key_of(thing: Told) -> Key:
    """Its series."""
    if isinstance(thing, Score):
        return "degree", thing.scope, thing.degree, thing.window
    if isinstance(thing, Energy):
        return "energy", thing.scope, f"{thing.energy} {thing.product}", thing.window
    return "emission", thing.scope, thing.pollutant, thing.average


def constant_of(thing: Told) -> tuple[Any, ...]:
    """Its constant part: cheap to compare."""
    if isinstance(thing, Score):
        return (*_score_constant(thing), *thing.detail)
    return _energy_constant(thing) if isinstance(thing, Energy) else _emission_constant(thing)


def constant_text(thing: Told) -> str:
    """Its constant part as it is kept."""
    if isinstance(thing, Score):
        kept = dict(zip(_SCORE_CONSTANT, _score_constant(thing), strict=True)) | {"detail": list(thing.detail)}
    elif isinstance(thing, Energy):
        kept = dict(zip(_ENERGY_CONSTANT, _energy_constant(thing), strict=True))
    else:
        kept = dict(zip(_EMISSION_CONSTANT, _emission_constant(thing), strict=True))
    return json.dumps(kept)


def body_of(thing: Told) -> str:
    """The rest, in an order of its own; a seventh of json.dumps' time, and a day has 340,000 rows."""
    if isinstance(thing, Score):
        return to_json((*_score_body(thing), *thing.detail.values())).decode()
    return to_json(_energy_body(thing) if isinstance(thing, Energy) else _emission_body(thing)).decode()


class Frozen(NamedTuple):
    """A row as it is kept, with what its series shares."""

    key: Key
    constant: str
    ts: int
    revision: int
    lifecycle: str
    known_at: int
    value: float | None
    body: str

    def fields(self, shared: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """(the body by name, the numbers of `shared["detail"]` as texts). A row of an older version ends earlier."""
        count = len(shared.get("detail", ()))
        body, *numbers = self.body[1:-1].rsplit(",", count) if count else (self.body[1:-1],)
        return dict(zip(_body_names(self.key[0], shared), json.loads(f"[{body}]"), strict=False)), numbers


def freeze(thing: Told) -> Frozen:
    """As the history keeps it."""
    return Frozen(
        key_of(thing), constant_text(thing), thing.ts, thing.revision, thing.lifecycle, thing.known_at, thing.value,
        body_of(thing),
    )  # fmt: skip


def thaw(key: Sequence[str], constant: str, row: Sequence[Any]) -> Told:
    """The score or emission again; `row` is ts, revision, lifecycle, known_at, value, body."""
    kind, a, b, c = key
    ts, revision, lifecycle, known_at, value, body = row
    fields: dict[str, Any] = json.loads(constant)
    body_names, values = _body_names(kind, fields), json.loads(body)
    names = fields.pop("detail", [])
    stop = len(values) - len(names)
    fields |= {"ts": ts, "revision": revision, "lifecycle": lifecycle, "known_at": known_at, "value": value}
    fields |= zip(body_names, values[:stop], strict=False)
    if kind == "emission":
        return Emission(scope=a, pollutant=b, average=c, **fields)
    if kind == "energy":
        return Energy(scope=a, window=c, **fields | {"levels": tuple(fields["levels"])})
    detail = dict(zip(names, values[stop:], strict=True))
    return Score(scope=a, degree=b, window=c, detail=detail, **fields)  # type: ignore[arg-type] # it was a degree


def _body_names(kind: str, shared: Mapping[str, Any]) -> tuple[str, ...]:
    if kind == "degree":
        return _SCORE_BODY if "basis" in shared else _SCORE_BODY_1
    return _ENERGY_BODY if kind == "energy" else _EMISSION_BODY
