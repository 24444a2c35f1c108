"""One minute of one stack: the atom of every average."""

from __future__ import annotations

from dataclasses import dataclass

from devices.plant.model import Regime
from scoring.stacks.molar import MOLAR
from scoring.stacks.normalise import Frame, normalise, quantise
from scoring.stacks.recipe import Pollutant, Recipe, running_now
from scoring.windows.sums import SpanSums


@dataclass(frozen=True, slots=True)
class Atom:
    """One pollutant in one minute."""

    micro: int | None  # normalised mean in 1e-6 mg/m3; None: invalid
    reason: str | None  # why invalid, in words that are the same for every minute with that cause
    covered: int  # ms with valid readings (of the part with the least)
    raw: tuple[tuple[int, int], ...]  # exact (total, covered) of each part
    flagged: bool  # a reading behind it was left out or marked
    running: bool


def empty(pollutant: Pollutant) -> Atom:
    """The atom of a minute that no reading reaches."""
    return Atom(None, "no readings", 0, ((0, 0),) * len(pollutant.parts), flagged=False, running=True)


def frame(regime: Regime) -> Frame:
    """The regime's normalising as doubles."""
    return Frame(
        o2_ref=None if regime.o2_ref is None else float(regime.o2_ref),
        base=float(regime.base),
        o2_max=None if regime.o2_max is None else float(regime.o2_max),
        standard_k=float(regime.standard_k),
        molar_litres=float(regime.molar_litres),
        never_down=regime.never_down,
        molar={gas: float(mass) for gas, mass in ({g: m.mass for g, m in MOLAR.items()} | dict(regime.molar)).items()},
    )


def atoms(recipe: Recipe, span: SpanSums, how: Frame, minute_valid_ms: int) -> tuple[Atom, ...]:
    """Every pollutant of one stack over one span of a minute."""
    stands = running_now(recipe, span)
    gases = [table.gas(span) for table in recipe.auxiliaries]
    found = []
    for p in recipe.pollutants:
        raw = tuple((span.total(x.mean.channel), int(span.covered[x.mean.channel])) for x in p.parts)
        covered = min(c for _, c in raw)
        value: float | str
        if stands is not None:
            value = stands
        elif covered == 0:
            value = "no readings"
        elif covered < minute_valid_ms:
            value = f"less than {minute_valid_ms // 1000} s of valid readings"
        else:
            value = 0.0
            for part in p.parts:
                mean = part.mean.of(span)
                one = "no readings" if mean is None else normalise(mean, part.form, gases[part.auxiliaries], how)
                if isinstance(one, str):
                    value = one
                    break
                value += one
        channels = {x.mean.channel for x in p.parts}.union(
            *(recipe.auxiliaries[x.auxiliaries].channels for x in p.parts)
        )
        found.append(
            Atom(
                micro=None if isinstance(value, str) else quantise(value),
                reason=value if isinstance(value, str) else None,
                covered=covered,
                raw=raw,
                flagged=any(span.flagged[c] for c in channels),
                running=stands is None,
            )
        )
    return tuple(found)
