"""What the minutes of one block add up to, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from itertools import groupby
from typing import Any

from scoring.stacks.localtime import MINUTE
from scoring.stacks.minutes import Atom
from scoring.stacks.normalise import MICRO


@dataclass(slots=True)
class Tally:
    """One pollutant's minutes in a span; sums are exact integers, nothing is divided here."""

    micro: int = 0  # Σ of the valid minutes, 1e-6 mg/m3
    valid: int = 0
    minutes: int = 0
    running: int = 0
    raw: list[tuple[int, int]] = field(default_factory=list)  # (total, covered) of each part
    why: Counter[str] = field(default_factory=Counter)  # reason -> minutes lost to it
    flagged: bool = False
    last: int | None = None  # the newest valid minute
    mass: int = 0  # µg measured
    mass_minutes: int = 0
    gas: int = 0  # dry standard litres measured
    gas_minutes: int = 0
    backup: int = 0  # minutes in which another analyser stood in
    asked: int = 0  # quadrant rule: quarters in which a line ran, and of them those with a point
    got: int = 0
    verdict: str | None = None  # quadrant rule: why it is no hour; "": it is one; None: minutes are counted
    substituted: int = 0  # µg that stand in for missing mass, once the block has ended
    product: Fraction = Fraction(0)  # t made, where the regime's limits are per product
    wide: list[int] = field(default_factory=list)  # Σ of the valid minutes' `wide`

    @classmethod
    def of(cls, atoms: Iterable[Atom]) -> Tally:
        """The tally of some minutes in order."""
        made = cls()
        for _, alike in groupby(atoms, key=id):  # a held reading makes many minutes that are one object
            same = list(alike)
            made.add(same[0], len(same))
        return made

    @classmethod
    def nothing(cls, atom: Atom, minutes: int) -> Tally:
        """The tally of so many minutes like `atom`, an empty one."""
        return cls(minutes=minutes, running=minutes, raw=list(atom.raw), why=Counter({atom.reason or "": minutes}))

    def add(self, atom: Atom, times: int = 1) -> None:
        """Count one more minute, or so many that are alike."""
        self.minutes += times
        self.running += atom.running * times
        self.flagged |= atom.flagged
        self.raw = plus(self.raw, [(total * times, covered * times) for total, covered in atom.raw])
        self.backup += atom.backup * times
        if atom.mass is not None:
            self.mass += atom.mass * times
            self.mass_minutes += times
        if atom.gas is not None:
            self.gas += atom.gas * times
            self.gas_minutes += times
        if atom.micro is None:
            self.why[atom.reason or ""] += times
        else:
            self.micro += atom.micro * times
            self.wide = widen(self.wide, [wide * times for wide in atom.wide])
            self.valid += times
            self.last = atom.micro

    def __add__(self, later: Tally) -> Tally:
        """Both together, in this order: what a day counts by minutes."""
        added: dict[str, Any] = {name: getattr(self, name) + getattr(later, name) for name in _ADDED}
        return Tally(
            **added,
            raw=plus(self.raw, later.raw),
            wide=widen(self.wide, later.wide),
            flagged=self.flagged or later.flagged,
            last=self.last if later.last is None else later.last,
        )

    def mean(self) -> Fraction | None:
        """mg/m3, each valid minute weighing the same."""
        return Fraction(self.micro, self.valid * MICRO) if self.valid else None

    def enough(self, valid_ms: int) -> bool:
        """Whether so much of the block is valid that its mean counts."""
        return not self.verdict and self.valid > 0 and (self.verdict == "" or self.valid * MINUTE >= valid_ms)

    @property
    def share(self) -> float:
        """Of the minutes (quadrant rule: quarters) in which a line ran, those that are valid; 1 where none did."""
        valid, of = (self.got, self.asked) if self.asked else (self.valid, self.running)
        return valid / of if of else 1.0

    def to_json(self) -> list[Any]:
        """Plain values, for the snapshot."""
        return [_plain(getattr(self, f.name)) for f in fields(self)]

    @classmethod
    def from_json(cls, state: list[Any]) -> Tally:
        """What `to_json` gave."""
        made = cls(*state)
        made.raw, made.why = [(t, c) for t, c in made.raw], Counter(made.why)
        made.product = Fraction(made.product)
        return made


_ADDED = tuple(f.name for f in fields(Tally) if f.type in ("int", "Fraction", "Counter[str]"))


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction):
        return str(value)
    return dict(value) if isinstance(value, Counter) else value


def widths(minutes: Iterable[Atom]) -> list[int]:
    """Σ of the `wide` of some minutes."""
    total: list[int] = []
    for atom in minutes:
        total = widen(total, atom.wide)
    return total


def widen(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """`wide` of both together."""
    return [x + y for x, y in zip(a, b, strict=True)] if a and b else list(a or b)


def plus(a: Sequence[tuple[int, int]], b: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """`raw` of both together."""
    if not a:
        return list(b)
    return [(t + u, c + d) for (t, c), (u, d) in zip(a, b, strict=True)] if b else list(a)
