"""What scoring gives: scores, emissions, alarms, sums. `to_json` is the one shape everywhere (contracts.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from devices.plant.norm import EnergyKind

Quality = Literal["good", "uncertain", "bad"]
Operation = Literal["running", "idle", "heat-up", "stopped"]
Lifecycle = Literal["live", "final", "restated"]
Breach = Literal["none", "within", "beyond"]
AlarmCondition = Literal[
    "normal", "unacknowledged", "acknowledged", "returned", "shelved", "suppressed", "out-of-service"
]


@dataclass(slots=True)
class Score:
    """One degree of one scope over one window.

    Nobody changes one. It is not `frozen`: that takes three times as long to make, and they are made by the thousand.
    """

    ts: int  # the window is (ts - W, ts]
    scope: str
    level: str
    degree: Literal["gd", "lcd", "cd", "sd"]
    window: str
    value: float | None  # numerator / denominator: one division; None where withheld
    numerator: float
    denominator: float
    unit: str  # of numerator and denominator
    output: float  # qualified product in the window
    output_unit: str
    basis: str  # lcd: "gross", "net", "gross with power", …; else ""
    completeness: float
    quality: Quality
    operation: Operation
    lifecycle: Lifecycle
    revision: int
    reason: str | None  # why the value is withheld or marked, in words
    known_at: int
    stale: bool
    last: int | None  # ts of the newest reading behind it (stale: of the meter waited for longest); makes `age`
    detail: dict[str, float] = field(default_factory=dict)  # lcd: named parts of the CO2 balance, t
    low: float | None = None  # band of the declared uncertainties (k = 2); None where nothing is declared
    high: float | None = None
    uncertainty_missing: float | None = None  # how much of high − low is missing and estimated time's

    def to_json(self, now: int, *, simulated: bool) -> dict[str, Any]:
        """The score object; `now` (ms) makes its age in seconds."""
        body: dict[str, Any] = {
            "ts": self.ts,
            "scope": self.scope,
            "level": self.level,
            "degree": self.degree,
            "window": self.window,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "uncertainty_missing": self.uncertainty_missing,
            "numerator": self.numerator,
            "denominator": self.denominator,
            "unit": self.unit,
            "output": self.output,
            "output_unit": self.output_unit,
            "basis": self.basis,
            "completeness": self.completeness,
            "quality": self.quality,
            "operation": self.operation,
            "lifecycle": self.lifecycle,
            "revision": self.revision,
            "reason": self.reason,
            "known_at": self.known_at,
            "stale": self.stale,
            "simulated": simulated,
            "age": age_of(self.last, now),
        }
        if self.detail:
            body["detail"] = self.detail
        return body


@dataclass(frozen=True, slots=True)
class Emission:
    """One pollutant of one stack over one average: a closed or open block, or the rolling minute."""

    ts: int  # block: its start; rolling: the window's end
    scope: str  # "stack:acme/wuhu/tail"
    pollutant: str
    average: str
    value: float | None  # in `unit`: mg/m3 dry, standard state, reference oxygen; %; mass per product
    raw: float | None  # the analyser's own mean, in `raw_unit`
    raw_unit: str
    unit: str
    limit: float | None
    headroom: float | None  # limit - value
    allowed_mean: float | None  # highest mean still allowed for the rest of an open block
    unavoidable_at: int | None  # ms; when the block's limit is passed for good at the present level
    valid: bool  # enough valid minutes for the average to count
    valid_minutes: int
    elapsed_minutes: int
    block_minutes: int
    completeness: float
    quality: Quality
    operation: Operation
    lifecycle: Lifecycle
    revision: int
    reason: str | None
    known_at: int
    stale: bool
    last: int | None
    low: float | None = None  # band of the analyser's declared uncertainty (k = 2); None where nothing is declared
    high: float | None = None
    breach: Breach | None = None  # of the limit: beyond the band or within it; None where nothing can be judged
    extra: dict[str, float | None] = field(default_factory=dict)  # what only some have: mass, discarded, …

    def to_json(self, now: int, *, simulated: bool) -> dict[str, Any]:
        """The emission object; `now` (ms) makes its age in seconds."""
        names = (n for n in Emission.__dataclass_fields__ if n not in ("last", "extra"))
        body: dict[str, Any] = {name: getattr(self, name) for name in names}
        return (
            body
            | self.extra
            | {
                "level": "stack",
                "simulated": simulated,
                "age": age_of(self.last, now),
                "indicative": True,
            }
        )


@dataclass(frozen=True, slots=True)
class Energy:
    """Specific energy of one kind that one product takes in one scope over one window, and the norm's level."""

    ts: int  # the window is (ts - W, ts]
    scope: str
    level: str
    energy: EnergyKind
    product: str
    window: str
    value: float | None  # numerator / denominator: one division; None where withheld
    numerator: float  # kWh, MJ or kgce; negative where more is recovered than used
    denominator: float  # the output that it was used for
    unit: str  # of value: "kWh/t"
    output: float  # as the denominator
    output_unit: str
    basis: str  # what is counted: "fuel + electricity at 0.1229 kgce/kWh"
    boundary: str  # "stage": of the lines that make it; "chain: raw-meal": with what goes into it, made inside
    norm: str | None  # id
    norm_level: int | None  # the level reached, 1 is the best; None: none of them, or not to be judged
    levels: tuple[float, ...]  # of the norm, corrected, best first; () where there are none to compare with
    next: float | None  # the next better level; None at level 1
    distance: float | None  # value - next: what is still to be saved, in `unit`
    distance_percent: float | None  # of |next|
    completeness: float
    quality: Quality
    operation: Operation
    lifecycle: Lifecycle
    revision: int
    reason: str | None  # why the value is withheld or marked, or not judged, in words
    known_at: int
    stale: bool
    last: int | None

    def to_json(self, now: int, *, simulated: bool) -> dict[str, Any]:
        """The energy object; `now` (ms) makes its age in seconds."""
        names = (n for n in Energy.__dataclass_fields__ if n != "last")
        body: dict[str, Any] = {name: getattr(self, name) for name in names}
        return body | {"levels": list(self.levels), "simulated": simulated, "age": age_of(self.last, now)}


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm's present state."""

    id: str
    scope: str
    priority: Literal["low", "medium", "high", "critical"]
    state: AlarmCondition
    value: float | None
    limit: float | None
    unit: str
    since: int  # ms, when the state's cause began: acknowledging does not move it
    user: str | None = None
    comment: str | None = None
    shelved_until: int | None = None
    text: str = ""  # one line for people: what it means
    breach: Breach | None = None  # over the alarm's limit: within the band of the declared uncertainty, or beyond it

    def to_json(self) -> dict[str, Any]:
        """The alarm object."""
        return {name: getattr(self, name) for name in Alarm.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One step of an alarm's life: what the history and InfluxDB keep."""

    ts: int
    event: str  # "trip", "clear", "acknowledge", "shelve", "unshelve"
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class ChannelSum:
    """The sum (or, of a level, the average) of one channel over one window."""

    ts: int
    meter: str
    channel: str
    window: str
    sum: str | None  # exact decimal; rates and levels: nine decimals, half-even; None: there is none, see `reason`
    covered: float | None  # share of the window; None where that is not known any more
    unit: str
    flags: dict[str, int] = field(
        default_factory=dict
    )  # spikes, resets, bad_rises, estimated_ms, out_of_range, conflicts
    lifecycle: Lifecycle = "live"
    revision: int = 0
    reason: str | None = None  # why it was restated, or why there is no sum
    known_at: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The sums object; with its lifecycle where it was told as a step and not just asked for."""
        told = {"lifecycle", "revision", "known_at"} if self.lifecycle == "live" else set()
        told |= {"reason"} if self.reason is None and told else set()
        return {name: getattr(self, name) for name in ChannelSum.__dataclass_fields__ if name not in told}


@dataclass(frozen=True, slots=True)
class Changes:
    """What the engine made known since it was last asked."""

    scores: tuple[Score, ...] = ()
    emissions: tuple[Emission, ...] = ()
    alarms: tuple[AlarmEvent, ...] = ()
    sums: tuple[ChannelSum, ...] = ()  # only of an engine that is asked for sums
    energies: tuple[Energy, ...] = ()

    def __add__(self, later: Changes) -> Changes:
        """Both, one after the other."""
        return added([self, later])

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.scores or self.emissions or self.alarms or self.sums or self.energies)


def added(parts: Iterable[Changes]) -> Changes:
    """Many, one after the other."""
    found = [part for part in parts if part]
    if len(found) <= 1:
        return found[0] if found else Changes()
    return Changes(
        tuple(score for part in found for score in part.scores),
        tuple(emission for part in found for emission in part.emissions),
        tuple(alarm for part in found for alarm in part.alarms),
        tuple(one for part in found for one in part.sums),
        tuple(energy for part in found for energy in part.energies),
    )


def age_of(last: int | None, now: int) -> float | None:
    """How old, s, what was last heard at `last` is at `now` (ms)."""
    return None if last is None else round(max(0, now - last) / 1000, 1)
