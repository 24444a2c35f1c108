"""Between which values a degree lies, as far as what its meters declare goes (docs/uncertainty.md).

With R = N/D and g = ∂R/∂a for the amount a of a channel:

    a meter    its error is one and the same all through a window, so it grows with the amount: |Σ g·a|·u over
               all that is derived from one measured channel (what cancels, cancels); channels of one meter add up
    a laboratory  of the samples that an amount is weighed by, off together (`lab_doubt`); a meter like the others
    a factor   one error for all that is multiplied by it, on every line
    together   independent of each other: the root of the sum of squares
    missing    time that is not covered, while the line runs, could have been anything from 0 to the end of the
               channel's `range`, else to its average over the window; estimated time anything from nothing to
               twice its average. These are bounds: they are added, not squared

Sums and slopes are exact integers; from the error of one source on everything is a double.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import hypot

from devices.plant.model import Channel, Kind, Line, Plant
from scoring.degrees.balance import Totals
from scoring.degrees.forms import LineForm
from scoring.degrees.lab_doubt import LabDoubts, Moved
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.shares import LCD, Share, Shares
from scoring.degrees.window import LineView
from scoring.windows.sums import SpanSums

Cut = Sequence[tuple[SpanSums, Totals]]


@dataclass(frozen=True, slots=True)
class Band:
    """`low` ≤ value ≤ `high`; `missing`: how much of high − low is missing and estimated time's."""

    low: float
    high: float
    missing: float


@dataclass(slots=True)
class _Source:
    """What one measured channel does to the ratio: slopes times amounts, in units of 1/D²."""

    reading: int = 0  # Σ g·amount
    time: int = 0  # Σ g·ms covered
    more: list[tuple[float, Share]] = field(default_factory=list)  # what may be missing: up to so many counts
    doubt: list[tuple[float, Share]] = field(default_factory=list)  # what is estimated: so many counts either way


class Bands:
    """The bands of a plant's degrees. Where nothing is declared there are none, and nothing is spent."""

    def __init__(self, plant: Plant, shares: Shares) -> None:
        self._plant, self._shares, self._labs = plant, shares, LabDoubts(plant)
        self._lines = {line.index for line in plant.lines if _declares(plant, line)}

    def of(
        self, plan: ScopePlan, degree: int, ratio: tuple[int, int], cut: Cut, views: dict[int, LineView]
    ) -> Band | None:
        """The band of one degree that is shown, `ratio` = (numerator, denominator); None where no source of it is
        declared.
        """
        if not self._lines or self._lines.isdisjoint(plan.scope.lines):
            return None
        n, d = ratio
        sources: dict[int, _Source] = {}
        factors: dict[str, float] = {}
        moved: dict[int, Moved] = {}
        for form in plan.lines:
            running = views[form.line.index].running
            self._line(plan, form, degree, ratio, cut, running, sources, factors, moved)
        meters: dict[int, float] = {}
        square = d * d
        for row, source in sources.items():
            channel = self._plant.channels[row]
            if channel.uncertainty is not None:
                u = channel.uncertainty
                error = hypot(float(u.relative) * (source.reading / square), float(u.per_ms) * (source.time / square))
                meters[channel.meter] = meters.get(channel.meter, 0.0) + error
        self._labs.add(moved, meters)
        if not meters and not factors:
            return None
        wide = hypot(*meters.values(), *factors.values())
        worst, best = (_extreme(sources.values(), degree, n, d, sign) for sign in (-1, 1))
        return Band(min(worst, n / d) - wide, max(best, n / d) + wide, max(0.0, best - worst))

    def _line(
        self, plan: ScopePlan, form: LineForm, degree: int, ratio: tuple[int, int], cut: Cut, running: int,
        sources: dict[int, _Source], factors: dict[str, float], moved: dict[int, Moved],
    ) -> None:  # fmt: skip
        """Add what one line's channels do to the ratio."""
        n, d = ratio
        spans = [(span, totals, self._shares.of(plan, form, span.end)) for span, totals in cut]
        for place, last in enumerate(spans[-1][2]):
            if not any(any(shares[place].adds[degree]) for _, _, shares in spans):
                continue
            channel = self._plant.channels[last.channel]
            amount_of = channel if not channel.labs or channel.source is None else self._plant.channels[channel.source]
            measured = amount_of.index if amount_of.source is None else amount_of.source
            source = sources.setdefault(measured, _Source())
            covered = estimated = total = 0
            for span, totals, shares in spans:
                up, down = shares[place].adds[degree]
                slope = up * d - down * n
                ms, amount = int(span.covered[channel.index]), totals[last.slot]
                source.reading += slope * amount
                source.time += slope * ms
                covered, estimated = covered + ms, estimated + int(span.estimated[channel.index])
                total += amount
                if channel.labs:
                    self._labs.move(moved, channel, span, slope * amount / (d * d))
                for name, u in self._factors(form, amount_of, degree, span.end):
                    factors[name] = factors.get(name, 0.0) + float(u) * (slope * amount / (d * d))
            if channel.kind is Kind.AMOUNT and not channel.period_ms:
                continue  # an instant covers no time, so none of it is missing
            level = total / covered if covered else 0.0
            if missing := max(0, running - covered):
                source.more.append((_most(channel, level) * missing, last))
            if estimated:
                source.doubt.append((level * estimated, last))

    def _factors(self, form: LineForm, channel: Channel, degree: int, end: int) -> list[tuple[str, Fraction]]:
        """The declared uncertainties of what the channel's amount is multiplied by."""
        found: list[tuple[str, Fraction]] = []
        if channel.source is not None and channel.uncertainty is not None:
            found.append((f"times {channel.index}", channel.uncertainty.relative))
        what, id_ = (channel.counts.what, channel.counts.id) if channel.counts else ("", "")
        if degree == LCD and what == "fuel":
            found.append((f"fuel {id_}", self._plant.fuels[id_].uncertainty))
        if degree == LCD and what == "electricity" and (row := form.grid.at(end)) >= 0:
            site = self._plant.sites[form.line.site]
            found.append((f"factor {site.electricity}", form.grid.periods[row].entry.uncertainty))
        return [(name, u) for name, u in found if u]


def _declares(plant: Plant, line: Line) -> bool:
    """Whether anything of the line, or what it is multiplied by, may be off."""
    channels = [plant.channels[c] for m in line.meters for c in plant.meters[m].channels]
    sources = [plant.channels[c.source] for c in channels if c.source is not None]
    labs = [plant.channels[lab.channel] for c in channels for lab in c.labs]
    factors = plant.factors.get(plant.sites[line.site].electricity or "", ())
    burnt = {c.counts.id for c in channels if c.counts and c.counts.what == "fuel"}
    return (
        any(c.uncertainty for c in (*channels, *sources, *labs))
        or any(entry.uncertainty for entry in factors)
        or any(plant.fuels[id_].uncertainty for id_ in burnt)
    )


def _most(channel: Channel, level: float) -> float:
    """The highest a channel may have been while nobody knew, in counts per ms."""
    if channel.kind is Kind.RATE and channel.high is not None:
        return float(max(0, channel.high))
    return level


def _extreme(sources: Iterable[_Source], degree: int, n: int, d: int, sign: int) -> float:
    """The ratio if everything missing and estimated had been as bad (−1) or as good (+1) as it may have been."""
    more_n = more_d = 0.0
    for source in sources:
        up, down = _sum(source.more, degree)
        if sign * (up * d - down * n) > 0:
            more_n, more_d = more_n + up, more_d + down
        up, down = _sum(source.doubt, degree)
        side = sign if up * d - down * n > 0 else -sign
        more_n, more_d = more_n + side * up, more_d + side * down
    return (n + more_n) / (d + more_d) if d + more_d > 0 else n / d


def _sum(amounts: Sequence[tuple[float, Share]], degree: int) -> tuple[float, float]:
    """What these amounts add above and below the line."""
    return (
        sum([amount * share.adds[degree][0] for amount, share in amounts]),
        sum([amount * share.adds[degree][1] for amount, share in amounts]),
    )
