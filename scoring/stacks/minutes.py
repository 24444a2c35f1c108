"""One minute of one stack: the atom of every average."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.plant.model import Regime
from devices.plant.molar import MOLAR
from scoring.stacks import mass
from scoring.stacks.aside import NANO, width
from scoring.stacks.normalise import Frame, Gas, normalise, quantise
from scoring.stacks.recipe import Part, Pollutant, Recipe, running_now
from scoring.windows.sums import Seen, SpanSums

Look = Callable[[int, int, int], list[Seen]]
"""`Sums.readings`: (channel, start, end) → the winning readings in [start, end)."""


@dataclass(frozen=True, slots=True)
class Atom:
    """One pollutant in one minute."""

    micro: int | None  # normalised mean in 1e-6 mg/m3; None: invalid
    reason: str | None  # why invalid, in words that are the same for every minute with that cause
    covered: int  # ms with valid readings (of the part with the least)
    raw: tuple[tuple[int, int], ...]  # exact (total, covered) of each part
    flagged: bool  # a reading behind it was left out or marked
    running: bool
    mass: int | None = None  # µg; None: not measured
    gas: int | None = None  # dry standard litres; None: not measured
    backup: bool = False  # another analyser stood in
    began: bool = False  # a valid reading begins in it; this and the next two only where the regime asks
    check: bool = False  # calibration or maintenance in it
    verdict: int = 0  # of its last calibration: 1 passed, -1 failed
    wide: tuple[int, ...] = ()  # 1e-9 mg/m3: what the auxiliaries of each of `Pollutant.unsure` may move it by


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
        zero_k=float(regime.zero_k),
        molar_litres=float(regime.molar_litres),
        never_down=regime.never_down,
        molar={gas: float(mass) for gas, mass in ({g: m.mass for g, m in MOLAR.items()} | dict(regime.molar)).items()},
    )


def atoms(recipe: Recipe, span: SpanSums, how: Frame, regime: Regime, look: Look) -> tuple[Atom, ...]:
    """Every pollutant of one stack over one span of a minute."""
    stands = running_now(recipe, span)
    gases = [table.gas(span) for table in recipe.auxiliaries]
    flows = [_flow(recipe, row, gas, span, how) for row, gas in enumerate(gases)]
    found = []
    for p in recipe.pollutants:
        raw = tuple((span.total(x.mean.channel), int(span.covered[x.mean.channel])) for x in p.parts)
        way, value, dry, covered = _value(p, span, gases, how, regime.minute_valid_ms)
        halted = stands
        if isinstance(value, str) and covered < regime.minute_valid_ms:
            letter = _letter(span, look, p, regime)
            if letter is not None:
                value = f"flag {letter}: {regime.meaning(letter)}"
                halted = halted or (value if regime.meaning(letter) == "stopped" else None)
        flow = flows[way[0].auxiliaries]
        shown = value if halted is None else halted
        valid = not isinstance(shown, str)
        began, check, verdict = _notes(recipe, p, way, span, look, regime) if regime.quadrants else (False, False, 0)
        checked = {x.mean.channel for x in way}.union(*(recipe.auxiliaries[x.auxiliaries].channels for x in way))
        found.append(
            Atom(
                micro=None if isinstance(shown, str) else quantise(shown),
                reason=shown if isinstance(shown, str) else None,
                covered=covered,
                raw=raw,
                flagged=any(span.flagged[c] for c in checked),
                running=halted is None,
                mass=None if flow is None or not valid else mass.micrograms(dry, flow),
                gas=None if flow is None or halted is not None else mass.litres(flow),
                backup=valid and way is not p.parts,
                began=began,
                check=check,
                verdict=verdict,
                wide=_wide(recipe, p, way, span, gases, how) if valid and p.unsure else (),
            )
        )
    return tuple(found)


def _value(
    p: Pollutant, span: SpanSums, gases: Sequence[Gas], how: Frame, minute_valid_ms: int
) -> tuple[tuple[Part, ...], float | str, float, int]:
    """The first way of measuring that is valid: (its parts, mg/m3 at reference oxygen, mg/m3 before it, ms covered).

    Where none is, the main one and why.
    """
    main = (p.parts, *_one(p.parts, span, gases, how, minute_valid_ms))
    if isinstance(main[1], str):
        for way in p.backups:
            value, dry, covered = _one(way, span, gases, how, minute_valid_ms)
            if not isinstance(value, str):
                return way, value, dry, covered
    return main


def _one(
    way: tuple[Part, ...], span: SpanSums, gases: Sequence[Gas], how: Frame, minute_valid_ms: int
) -> tuple[float | str, float, int]:
    covered = min([int(span.covered[x.mean.channel]) for x in way])
    if covered == 0:
        return "no readings", 0.0, covered
    if covered < minute_valid_ms:
        return f"less than {minute_valid_ms // 1000} s of valid readings", 0.0, covered
    value = before = 0.0
    for part in way:
        mean = part.mean.of(span)
        found = "no readings" if mean is None else normalise(mean, part.form, gases[part.auxiliaries], how)
        if isinstance(found, str):
            return found, 0.0, covered
        value, before = value + found[0], before + found[1]
    return value, before, covered


def _wide(
    recipe: Recipe, p: Pollutant, way: tuple[Part, ...], span: SpanSums, gases: Sequence[Gas], how: Frame
) -> tuple[int, ...]:
    """By how much what normalises a valid minute may move it, for each meter of `p.unsure`."""
    total = dict.fromkeys(p.unsure, 0.0)
    for part in way:
        gas, mean = gases[part.auxiliaries], part.mean.of(span)
        found = None if mean is None else normalise(mean, part.form, gas, how)
        if found is None or isinstance(found, str):
            continue
        for meter, wide in width(found[0], part.form, gas, how, recipe.auxiliaries[part.auxiliaries].asides).items():
            total[meter] += wide
    return tuple(round(wide * NANO) for wide in total.values())


def _flow(recipe: Recipe, row: int, gas: Gas, span: SpanSums, how: Frame) -> float | None:
    table = recipe.auxiliaries[row]
    flow = table.flow.of(span) if table.flow else None
    return None if flow is None else mass.standard_flow(flow, gas, how, hot=table.flow_hot, wet=table.flow_wet)


def _letter(span: SpanSums, look: Look, p: Pollutant, regime: Regime) -> str | None:
    """The HJ 212 letter because of which the minute has too few valid readings: of one that holds into it."""
    seen = look(p.parts[0].mean.channel, span.start - p.gap_ms + 1, span.end)
    letter = seen[-1].letter if seen else "N"
    return None if regime.meaning(letter) == "valid" else letter


def _notes(
    recipe: Recipe, p: Pollutant, way: tuple[Part, ...], span: SpanSums, look: Look, regime: Regime
) -> tuple[bool, bool, int]:
    """(a valid reading begins, calibration or maintenance, verdict of the last calibration) in this minute."""
    seen = look(way[0].mean.channel, span.start, span.end)
    meanings = {regime.meaning(s.letter) for s in seen if not s.outside}
    calibration, verdict = recipe.auxiliaries[p.parts[0].auxiliaries].calibration, 0
    told = look(calibration, span.start, span.end) if calibration is not None else []
    if told:
        verdict = 1 if told[-1].value > 0 else -1
    return "valid" in meanings, bool(meanings & {"calibration", "maintenance"}) or bool(told), verdict
