"""`SpecificEnergy`: energy per unit of product of every scope over every window, from the degrees' own sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from devices.durations import MINUTE
from devices.plant.model import Plant, Scope
from scoring.alike import of_scope
from scoring.degrees import Degrees
from scoring.degrees.ages import known
from scoring.degrees.coverage import ROWS
from scoring.degrees.degrees import Seen, completeness_of, operation_of
from scoring.degrees.reasons import NOTHING, concerning, said, unsure
from scoring.degrees.scales import MS_PER_HOUR
from scoring.degrees.window import LineView, worst
from scoring.energy.plan import EnergyPlan, plans
from scoring.energy.tally import Tally, tally
from scoring.results import Energy
from scoring.rules.norms import Judgement, corrected, judge
from scoring.stamp import Stamp

SHORTEST_STORED = MS_PER_HOUR
"""Below an hour a specific energy is shown and not kept: counters that step in whole kWh say little of minutes."""
FREQUENT = 15 * MINUTE
"""Where a meter reports at least so often, whole hours are kept: windows from one hour on need no more of them."""
_of = of_scope(Energy)
_BOUGHT = "more {} is used than made in the window: the rest counts as if made here"
_UNJUDGED = Judgement(None, None, None, None)


@dataclass(frozen=True, slots=True)
class _Window:
    ts: int
    name: str
    length: int
    views: dict[int, LineView]
    stamp: Stamp
    stale: Callable[[int, str], bool]
    newest: list[list[int]]  # by line and row of `ROWS`


class SpecificEnergy:
    """Compiled once for a plant; keeps nothing."""

    def __init__(self, plant: Plant, degrees: Degrees) -> None:
        self._plant, self._degrees, self._scales = plant, degrees, degrees.scales
        self._names = [line.id.rpartition("/")[2] for line in plant.lines]
        alike: dict[tuple[int, ...], list[EnergyPlan]] = {}  # an area with one line is that line
        self._plans = [
            alike.setdefault(s.lines, list(plans(plant, degrees.scales, [degrees.forms[i] for i in s.lines])))
            for s in plant.scopes
        ]
        fastest = [min((plant.meters[m].every_ms for m in line.meters), default=FREQUENT) for line in plant.lines]
        self._frequent = [min(fastest[line] for line in s.lines) <= FREQUENT for s in plant.scopes]

    def lines(self, scope: int, energy: str, product: str) -> tuple[int, ...]:
        """The lines (rows of Plant.lines) that take part in making the product in the scope."""
        plan = next(p for p in self._plans[scope] if (p.energy, p.product) == (energy, product))
        return tuple(form.line.index for form in plan.route.lines)

    def energies(
        self,
        ts: int,
        scopes: Sequence[int],
        seen: Seen,
        stamp: Stamp,
        stale: Callable[[int, str], bool],
        *,
        stored: bool = False,
    ) -> list[Energy]:
        """Of `scopes` (rows of Plant.scopes), over the windows that `Degrees.scores` has `seen` end at `ts`.

        In the order of windows, scopes, products and `ENERGIES`. With `stored` what is kept: no window below an
        hour, whole hours only of what reports often, nothing that can never be shown. `stale(line, energy)`
        as in `Degrees.scores`.
        """
        if stored and ts % MS_PER_HOUR:
            scopes = [scope for scope in scopes if not self._frequent[scope]]
        newest = self._degrees.ages.newest(ts).tolist()
        found: list[Energy] = []
        for row, views in seen.items():
            length = self._plant.window_ms[row]
            if stored and length < SHORTEST_STORED:
                continue
            window = _Window(ts, self._plant.windows[row], length, views, stamp, stale, newest)
            alike: dict[tuple[int, ...], list[Energy]] = {}
            for scope in (self._plant.scopes[s] for s in scopes):
                same = alike.get(scope.lines)
                if same is None:
                    alike[scope.lines] = same = list(self._scope(scope, window, stored=stored))
                    found += same
                else:
                    found += [_of(scope, energy) for energy in same]
        return found

    def _scope(self, scope: Scope, window: _Window, *, stored: bool) -> Iterator[Energy]:
        for plan in self._plans[scope.index]:
            if not (stored and plan.withheld):
                yield self._energy(scope, plan, window)

    def _energy(self, scope: Scope, plan: EnergyPlan, window: _Window) -> Energy:
        lines = [form.line.index for form in plan.route.lines]
        views = [window.views[line] for line in lines]
        row = ROWS.index(plan.energy)
        period = plan.timeline.at(window.ts)
        sums = tally(plan.route, window.views, plan.measures[period])
        denominator = sums.made / self._scales.product
        numerator = sums.above / (sums.below * plan.measures[period].scale)
        why = _withheld(plan, window, sums)
        value = None if why else numerator / denominator
        levels, judged, remarks, doubt = self._judge(plan, window, period, sums, shown=not why)
        if old := concerning(said(part.doubts for view in views for part in view.parts), row):
            remarks, doubt = [*old, *remarks], True
        if not why and (names := [self._names[line] for line in lines if window.views[line].unsure]):
            remarks = [*remarks, unsure(names)]
        stale = [line for line in lines if window.stale(line, plan.energy)]
        return Energy(
            ts=window.ts,
            scope=scope.id,
            level=scope.level,
            energy=plan.energy,
            product=plan.product,
            window=window.name,
            value=value,
            numerator=numerator,
            denominator=denominator,
            unit=plan.unit,
            output=denominator,
            output_unit=plan.output_unit,
            basis=plan.measures[period].basis,
            boundary=plan.route.boundary,
            norm=plan.norm.id or None,
            norm_level=judged.level,
            levels=tuple(map(float, levels)),
            next=_double(judged.next),
            distance=_double(judged.distance),
            distance_percent=_double(judged.percent),
            completeness=completeness_of(row, views, window.length),
            quality="bad" if NOTHING in why else worst([v.quality[row] for v in views] + ["uncertain"] * doubt),
            operation=operation_of(views),
            lifecycle=window.stamp.lifecycle,
            revision=window.stamp.revision,
            reason="; ".join([*why, *remarks, *(_BOUGHT.format(id_) for id_ in sums.bought)]) or None,
            known_at=window.stamp.known_at,
            stale=bool(stale),
            last=self._degrees.ages.awaited(stale, plan.energy, window.ts)
            if stale
            else known(max([window.newest[line][row] for line in lines])),
        )

    def _judge(
        self, plan: EnergyPlan, window: _Window, period: int, sums: Tally, *, shown: bool
    ) -> tuple[tuple[Fraction, ...], Judgement, list[str], bool]:
        """(levels, where the value stands among them, remarks, whether the norm is expired)."""
        if plan.norm.why or not plan.norm.entries:
            return (), _UNJUDGED, [plan.norm.why] if plan.norm.why else [], False
        if period < 0:
            return (), _UNJUDGED, [f"norm {plan.norm.id} is not yet in force"], False
        norm = plan.timeline.periods[period].entry
        expired = window.ts > plan.timeline.periods[period].expires
        remarks = [f"norm {norm.id} expired after {norm.end}"] if expired else []
        share = Fraction(0)
        if norm.correction:
            used = sums.used.get(norm.correction.share)
            if used is None or sums.made <= 0:
                missing = f"no level: {norm.correction.share} in it is not metered"
                return (), _UNJUDGED, [*remarks, missing] if used is None else remarks, expired
            share = 100 * plan.share_unit * used / sums.made
        levels = corrected(norm, share)
        if norm.boundary == "chain" and plan.route.outside:
            elsewhere = ", ".join(plan.route.outside)
            return levels, _UNJUDGED, [*remarks, f"no level: {norm.id} covers {elsewhere}, not made here"], expired
        if not shown:
            return levels, _UNJUDGED, remarks, expired
        value = Fraction(sums.above * self._scales.product, sums.below * plan.measures[period].scale * sums.made)
        return levels, judge(value, levels), remarks, expired


def _withheld(plan: EnergyPlan, window: _Window, sums: Tally) -> list[str]:
    """Why the value cannot be shown, in words; empty if it can."""
    why = list(plan.withheld)
    if plan.derived and window.length < MS_PER_HOUR:
        why.append("not shown below 1 h: output is derived")
    views = [window.views[form.line.index] for form in plan.makers]
    if all(view.empty for view in views):
        return [*why, NOTHING]
    if sums.made <= 0 or all(view.idle for view in views):
        least = plan.makers[0].line.min_output if len(plan.makers) == 1 else 0
        return [*why, f"idle: output is below {float(least):g} {plan.output_unit}/h" if least else "idle: no output"]
    every = (window.views[form.line.index] for form in plan.route.lines)
    missing = said(part.missing for view in every for part in view.parts)
    why += concerning(missing, ROWS.index(plan.energy))
    return why + [f"{id_} is used and none was made in the window" for id_ in sums.unmade]


def _double(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
