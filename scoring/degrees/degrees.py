"""`Degrees`: the four degrees of every scope over every window, from exact sums (design.md §1 B, semantics §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from devices.plant.model import Plant
from scoring.alike import of_scope
from scoring.degrees import reasons, roll_up
from scoring.degrees.ages import FEW, Ages, known
from scoring.degrees.band import Bands, Cut
from scoring.degrees.board import Board
from scoring.degrees.coverage import DEGREES
from scoring.degrees.detail import detail
from scoring.degrees.forms import Compiler
from scoring.degrees.members import Members, Moment, Together
from scoring.degrees.scopes import ScopePlan, plan_scope
from scoring.degrees.shares import Shares, Side
from scoring.degrees.window import LineView, Viewer, worst
from scoring.results import Operation, Score
from scoring.stamp import Stamp
from scoring.windows.sums import CoverageGroup, Sums

_of = of_scope(Score)
UNITS = ("t", "t CO2", "t", "person-h")
"""Of numerator and denominator, by degree."""

Seen = dict[int, dict[int, LineView]]
"""Row of Plant.windows → row of Plant.lines → what the line did in it."""


@dataclass(frozen=True, slots=True)
class _Window:
    """What the scopes of one window share."""

    ts: int
    name: str
    length: int
    cut: Cut
    views: dict[int, LineView]
    together: Together
    moment: Moment
    stamp: Stamp
    stale: Callable[[int, str], bool]
    stored: bool  # only what is worth keeping
    short: list[list[str]]  # of an output that is metered, of a derived one: by degree, why it is too short


class Degrees:
    """Compiled once for a plant; `scores` reads the sums and keeps nothing."""

    def __init__(self, plant: Plant, sums: Sums, groups: Sequence[CoverageGroup]) -> None:
        """`groups` are those of `coverage_groups(plant)` with which `sums` was built."""
        self._plant, self._sums = plant, sums
        compiler = Compiler(plant)
        self.scales = compiler.scales
        self.forms = [compiler.line(line) for line in plant.lines]
        self._plans = [plan_scope(scope, self.forms, self.scales) for scope in plant.scopes]
        self._line_ids = [line.id.rpartition("/")[2] for line in plant.lines]
        self._members = Members(self._plans, range(len(plant.lines)))
        self._few = lru_cache(maxsize=FEW)(self._of_few)
        self._below = (self.scales.mass, self.scales.co2, self.scales.mass, self.scales.people)
        self._shares = Shares(self.forms)
        self._bands = Bands(plant, self._shares)
        self._viewer = Viewer(plant, sums, groups, self.forms, self.scales)
        self.ages = Ages(plant, sums, groups, self.forms)

    def board(self, groups: Sequence[CoverageGroup]) -> Board:
        """The degrees of all lines for `standing`, kept between calls; `groups` as before."""
        return Board(self._plant, self.forms, self._plans, self.scales, groups)

    def many(self, scopes: Sequence[int]) -> bool:
        """Whether the sums of these scopes are asked for as those of the whole plant."""
        return self._viewer.many({line for scope in scopes for line in self._plant.scopes[scope].lines})

    def scores(
        self,
        ts: int,
        scopes: Sequence[int],
        windows: Sequence[int],
        stamp: Stamp,
        stale: Callable[[int, str], bool],
        *,
        stored: bool = False,
        seen: Seen | None = None,
    ) -> list[Score]:
        """All four degrees of `scopes` (rows of Plant.scopes) over `windows` (rows of Plant.windows) ending at `ts`.

        `stale(line, degree)` tells whether a channel that the line's degree requires is silent. A degree that
        cannot be shown has value None and says why; its sums stand all the same. Windows in the order asked for,
        in each the scopes, in each `DEGREES`. With `stored`, those that nobody would look up are left out:
        windows too short for the degree, and degrees that no line of the scope counts in. `seen` takes what the
        lines did, for others who score the same windows.
        """
        plans = [self._plans[scope] for scope in scopes]
        lines = sorted({line for plan in plans for line in plan.scope.lines})
        few = None if self._viewer.many(lines) else tuple(lines)
        members = self._members if few is None else self._few(tuple(scopes), few)
        moment = members.moment(lines, self.ages.newest(ts, few), stale)
        scores: list[Score] = []
        for row in windows:
            length = self._plant.window_ms[row]
            cut = self._viewer.spans(ts - length, ts, lines)
            looked = self._viewer.views(ts - length, ts, lines, cut, energies=seen is not None)
            if seen is not None:
                seen[row] = looked.views
            together = members.together(looked, length)
            name = self._plant.windows[row]
            short = [[reasons.too_short(d, length, derived=one) for d in range(len(DEGREES))] for one in (False, True)]
            window = _Window(ts, name, length, cut, looked.views, together, moment, stamp, stale, stored, short)
            alike: dict[tuple[int, ...], list[Score]] = {}  # an area with one line scores as that line does
            for place, plan in enumerate(plans):
                scope = plan.scope
                if scope.lines in alike:
                    scores += [_of(scope, score) for score in alike[scope.lines]]
                else:
                    alike[scope.lines] = found = self._scope(plan, scope.index if few is None else place, window)
                    scores += found
        return scores

    def side(self, scope: int, degree: str, start: int, end: int) -> Side:
        """What every channel adds to one degree of a scope over (start, end]: the parts of its sums."""
        plan, cut = self._plans[scope], self._viewer.spans(start, end)
        views = self._viewer.views(start, end, plan.scope.lines, cut, energies=False).views
        return self._shares.side(plan, DEGREES.index(degree), end - start, cut, views)

    def _of_few(self, scopes: tuple[int, ...], lines: tuple[int, ...]) -> Members:
        return Members([self._plans[scope] for scope in scopes], lines)

    def _scope(self, plan: ScopePlan, place: int, window: _Window) -> list[Score]:
        """`place`: the scope's row in what the window's lines say together."""
        scope = plan.scope
        views = [window.views[line] for line in scope.lines]
        total, made = roll_up.balance(views), roll_up.made(views)
        parts = [part for view in views for part in view.parts]
        output = sum(made.values()) / self.scales.product if plan.unit else 0.0
        powered = True not in [part.unpowered for part in parts]
        operation = operation_of(views)
        still = reasons.still(plan, views)
        missing = reasons.said([part.missing for part in parts])
        doubts = reasons.said([part.doubts for part in parts])
        ratios = roll_up.ratios(plan, views, total, window.length)
        completeness, quality = window.together.completeness[place], window.together.quality[place]
        unheard, unsure = window.together.unheard[place], window.together.unsure[place]
        last, stale = window.moment.last[place], window.moment.stale[place]
        ts, name, stamp, short = window.ts, window.name, window.stamp, window.short[plan.derived]
        scores = []
        for row, degree in enumerate(DEGREES):
            never = plan.withheld[row]
            if short[row]:
                never = (*never, short[row])
            if window.stored and (short[row] or not plan.counting[row]):
                continue
            n, d = ratios[row]
            numerator, denominator = n / self._below[row], d / self._below[row]
            why = reasons.withheld(never, still, missing, row, n, d)
            value = None if why else numerator / denominator
            if unheard[row] and not still:
                lines = [self._line_ids[line] for line in plan.counting[row] if window.views[line].unheard(row)]
                known_why = [text for text in why if text != reasons.ZERO[row]]  # "none was emitted" would be a guess
                why = [reasons.unheard(lines), *known_why]
            if unsure[row] and not still:
                lines = [self._line_ids[line] for line in plan.counting[row] if window.views[line].unsure]
                why.append(reasons.unsure(lines))
            good = quality[row]
            if doubts and (old := reasons.concerning(doubts, row)):
                good = worst((good, "uncertain"))
                why += old
            if row == reasons.LCD and plan.unlike and not still and not plan.withheld[row]:
                good = worst((good, "uncertain"))
                why = [*why, plan.unlike]
            if still == reasons.NOTHING:
                good = "bad"
            if value is not None and value > 1:
                why += reasons.remarks(row)
            band = None if value is None else self._bands.of(plan, row, (n, d), window.cut, window.views)
            low, high, lost = (None, None, None) if band is None else (band.low, band.high, band.missing)
            basis = plan.basis if row == reasons.LCD else ""
            reason = "; ".join(why) if why else None
            newest = self._awaited(plan, row, window) if stale[row] else known(last[row])
            beside = detail(degree, (numerator, denominator), total, made, plan.per_t, self.scales, powered=powered)
            scores.append(
                Score(  # in the order of its fields: by their names it takes twice as long
                    ts, scope.id, scope.level, degree, name, value, numerator, denominator, UNITS[row], output,
                    plan.unit, basis, completeness[row], good, operation, stamp.lifecycle, stamp.revision, reason,
                    stamp.known_at, stale[row], newest, beside, low, high, lost,
                )
            )  # fmt: skip
        return scores

    def _awaited(self, plan: ScopePlan, row: int, window: _Window) -> int | None:
        name = DEGREES[row]
        return self.ages.awaited([line for line in plan.counting[row] if window.stale(line, name)], name, window.ts)


def operation_of(views: Sequence[LineView]) -> Operation:
    """A scope runs where any of its lines runs, and is stopped where all are."""
    if len(views) == 1:
        return views[0].operation
    found = {view.operation for view in views}
    return next((state for state in ("running", "heat-up", "idle") if state in found), "stopped")


def completeness_of(row: int, views: Sequence[LineView], length: int) -> float:
    """Known running time / running time; of lines that stand still, time known to stand still / time."""
    running = sum(view.running for view in views)
    if running:
        return sum(view.covered[row] for view in views) / running
    return sum(view.watched for view in views) / (length * len(views)) if views else 0.0
