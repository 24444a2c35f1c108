"""A split as people and programs read it: rounded so that what is printed adds up, with the names of the meters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from devices.plant.model import Plant
from scoring.degrees.shares import Who
from scoring.results import Score
from scoring.why.split import Contribution, Kind, Split

DIGITS = 12
"""Decimals that contributions are printed with."""
SHOWN = 5
"""Causes that the text names before it says "others"."""
LEAST = 0.0005
"""What a cause must have moved for the text to name it: what is less prints as .000."""

_KINDS = {
    "fuel": Kind("fuel", "fuel"),
    "electricity": Kind("energy", "energy"),
    "product": Kind("process", "output", "process"),  # its process CO2 in proportion is the product mix's doing
    "material": Kind("process", "process", "process"),
    "co2": Kind("measured", "measured"),
}
_OTHER, _PEOPLE, _MATERIAL = Kind("other", "other"), Kind("people", "people"), Kind("material", "material")


def kind_of(plant: Plant, degree: str, who: Who) -> Kind:
    """What a part of the degree's denominator is."""
    if who.id == "people":
        return _PEOPLE
    if who.channel is None:
        return _OTHER
    counts = plant.channels[who.channel].counts
    return _KINDS.get(counts.what if counts else "", _OTHER) if degree == "lcd" else _MATERIAL


def rounded(values: Sequence[Fraction], digits: int = DIGITS) -> list[Fraction]:
    """The values as decimals of so many digits that add up to their rounded sum (largest remainders).

    Each is cut down; the last-digit units that are then missing go to those that lost most, of equal ones the
    first. So none is off by a unit or more, and the printed parts add up to the printed change.
    """
    unit = Fraction(1, 10**digits)
    units = [value // unit for value in values]
    missing = round(sum(values, start=Fraction(0)) / unit) - sum(units)
    for row in sorted(range(len(values)), key=lambda r: (units[r] * unit - values[r], r))[:missing]:
        units[row] += 1
    return [count * unit for count in units]


@dataclass(frozen=True, slots=True)
class Why:
    """The answer to "why did it move": `split` None where a side is withheld, with the reason in words."""

    before: Score
    after: Score
    split: Split | None
    reason: str | None

    def to_json(self, plant: Plant, *, simulated: bool) -> dict[str, Any]:
        """The why object (docs/why.md). `parts` and `causes` each add up to `change`, digit for digit."""
        split = self.split
        change = None if split is None else float(rounded([split.after - split.before])[0])
        causes = [] if split is None else _told(plant, "cause", split.causes, by_size=True)
        return {
            "scope": self.after.scope,
            "degree": self.after.degree,
            "window": self.after.window,
            "ts": self.after.ts,
            "before": self.before.ts,
            "value": self.after.value,
            "value_before": self.before.value,
            "change": change,
            "parts": [] if split is None else _told(plant, "part", split.parts),
            "causes": causes,
            "lifecycle": self.after.lifecycle,
            "reason": self.reason,
            "simulated": simulated,
            "text": self._text(causes),
        }

    def _text(self, causes: Sequence[dict[str, Any]]) -> str:
        head = f"WHY {_value(self.before.value)}>{_value(self.after.value)}"
        if self.split is None:
            return f"{head}: {self.reason}"
        if not causes:
            return f"{head}: nothing moved"
        sums: dict[tuple[str, str], float] = {}
        for c in causes:
            called = _called(c), _meter(c)
            sums[called] = sums.get(called, 0.0) + c["contribution"]
        ranked = sorted(sums.items(), key=lambda item: -abs(item[1]))
        words = [f"{name} {_signed(value)}{meter}" for (name, meter), value in ranked[:SHOWN] if abs(value) >= LEAST]
        if rest := [value for _, value in ranked[len(words) :]]:
            if not words and abs(sum(rest)) < LEAST:
                return f"{head}: nothing moved by .001"
            words.append(f"{len(rest)} other{'s' if len(rest) > 1 else ''} {_signed(sum(rest))}")
        return f"{head}: " + "  ".join(words)


def told(before: Score, after: Score, split: Split | None) -> Why:
    """The answer; without a split it says which side is withheld and why."""
    reasons = [
        f"{when} {side.reason or 'the degree is withheld'}"
        for when, side in (("now:", after), ("before:", before))
        if side.value is None
    ]
    return Why(before, after, split, "; ".join(reasons) or None)


def _told(plant: Plant, name: str, found: Sequence[Contribution], *, by_size: bool = False) -> list[dict[str, Any]]:
    if by_size:
        found = sorted(found, key=lambda c: -abs(c.value))
    return [
        {name: c.cause, **_who(plant, c), "contribution": float(printed)}
        for c, printed in zip(found, rounded([c.value for c in found]), strict=True)
    ]


def _who(plant: Plant, contribution: Contribution) -> dict[str, str | None]:
    """Names of line, meter and channel, and the id of what it counts in."""
    who = contribution.who
    channel = None if who.channel is None else plant.channels[who.channel]
    counts = channel.counts if channel else None
    id_ = who.id or (counts.id or counts.what if counts else None)
    if contribution.cause == "factor" and id_ == "electricity" and who.line is not None:
        id_ = plant.sites[plant.lines[who.line].site].electricity
    return {
        "id": id_,
        "line": None if who.line is None else plant.lines[who.line].id,
        "meter": None if channel is None else plant.meters[channel.meter].name,
        "channel": None if channel is None else channel.name,
    }


def _called(cause: dict[str, Any]) -> str:
    named = cause["cause"] in ("fuel", "material", "waste", "energy")
    return str(cause["id"]) if named and cause["id"] else str(cause["cause"])


def _meter(cause: dict[str, Any]) -> str:
    """Not of output: that it moves between lines is one thing, told of all of them together."""
    return f" ({cause['meter']})" if cause["meter"] and cause["cause"] != "output" else ""


def _value(value: float | None) -> str:
    return "––" if value is None else f"{value:.3f}"


def _signed(value: float) -> str:
    if abs(value) < LEAST:
        return ".000"
    return f"{value:+.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:+.3f}"
