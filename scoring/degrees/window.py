"""One window of one line: its parts between factor edges, how it ran, how complete and how good it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from devices.plant.model import Plant
from scoring.degrees.balance import Part, part
from scoring.degrees.coverage import HEAT_UP, ROWS
from scoring.degrees.forms import LineForm
from scoring.degrees.samples import Samples
from scoring.degrees.scales import MS_PER_HOUR, Scales
from scoring.results import Operation, Quality
from scoring.windows.sums import CoverageGroup, SpanSums, Sums

_OF_OUTPUT = tuple(row for row in ROWS if row != "cd")
_ORDER: tuple[Quality, ...] = ("good", "uncertain", "bad")


@dataclass(frozen=True, slots=True)
class LineView:
    """One line over one window. Tuples by row follow the order of `ROWS`: degrees, then energies."""

    parts: tuple[Part, ...]  # one for each span between factor edges
    covered: tuple[int, ...]  # by row: ms in which all it requires is known while the line runs
    quality: tuple[Quality, ...]  # by row
    running: int  # ms in which the line runs
    watched: int  # ms in which it is known whether it runs
    operation: Operation
    idle: bool
    empty: bool  # not one reading


def worst(qualities: Iterable[Quality]) -> Quality:
    """The worst of some; bad where there are none."""
    return max(qualities, key=_ORDER.index, default="bad")


class Viewer:
    """Makes the `LineView`s of one window after another. Spans are asked for once for all lines."""

    def __init__(
        self, plant: Plant, sums: Sums, groups: Sequence[CoverageGroup], forms: Sequence[LineForm], scales: Scales
    ) -> None:
        self._sums, self._forms, self._scales = sums, forms, scales
        self._samples = Samples(plant, sums)
        self._weighed = [_weighed(plant, form) for form in forms]
        self._channels = np.array([c for form in forms for c in form.channels], np.intp)
        self._edges = sorted({edge for form in forms for edge in form.edges})
        self._running = [line.running.channel if line.running else None for line in plant.lines]
        rows = {(group.line, group.degree): row for row, group in enumerate(groups)}
        self._warm = {group.line: row for row, group in enumerate(groups) if group.degree == HEAT_UP}
        alike: dict[object, int] = {}  # groups that ask the same are asked once
        self._asked = [
            tuple(alike.setdefault((groups[row].channels, groups[row].running), row) for row in own)
            for own in ([rows[line.index, name] for name in ROWS] for line in plant.lines)
        ]
        self._requires = [bool(group.channels) for group in groups]

    def spans(self, start: int, end: int, lines: Sequence[int] | None = None) -> list[tuple[SpanSums, list[int]]]:
        """(start, end] cut where a factor changes: each span's sums, and the totals by slot; of some lines alone."""
        few = lines is not None and 2 * len(lines) <= len(self._forms)  # else it is one call for all
        wanted = np.array([c for line in lines or () for c in self._forms[line].channels], np.int64) if few else None
        inside = self._edges[bisect_right(self._edges, start) : bisect_left(self._edges, end)]
        spans = [self._sums.span(a, b, wanted) for a, b in pairwise([start, *inside, end])]
        return [(span, self._totals(span, lines if few else None)) for span in spans]

    def views(
        self, start: int, end: int, lines: Iterable[int], cut: Sequence[tuple[SpanSums, list[int]]] | None = None
    ) -> dict[int, LineView]:
        """The lines (rows of Plant.lines) over (start, end]; `cut` is `spans(start, end)` where it is known already."""
        spans, totals = zip(*(cut or self.spans(start, end)), strict=True)
        seen, marked = self._seen(spans)
        return {line: self._view(line, start, end, spans, totals, seen, marked) for line in lines}

    def _totals(self, span: SpanSums, lines: Sequence[int] | None) -> list[int]:
        """`SpanSums.total` by slot; of some lines' slots alone."""
        if lines is not None:
            totals = [0] * len(self._channels)
            for slot in (slot for line in lines for slot in self._forms[line].every):
                totals[slot] = span.total(int(self._channels[slot]))
            return totals
        high, low = span.high[self._channels].tolist(), span.low[self._channels].tolist()
        return [(h << 32) + rest for h, rest in zip(high, low, strict=True)]

    def _seen(self, spans: Sequence[SpanSums]) -> tuple[list[bool], list[bool]]:
        """By slot: whether anything was read, and whether anything of it is estimated or flagged."""
        rows = self._channels
        seen = np.zeros(len(rows), np.bool_)
        marked = np.zeros(len(rows), np.bool_)
        for span in spans:
            marked |= (span.estimated[rows] != 0) | (span.flagged[rows] != 0)
            seen |= (span.covered[rows] != 0) | (span.high[rows] != 0) | (span.low[rows] != 0)
        return (seen | marked).tolist(), marked.tolist()

    def _view(
        self, line: int, start: int, end: int, spans: Sequence[SpanSums], totals: Sequence[list[int]],
        seen: list[bool], marked: list[bool],
    ) -> LineView:  # fmt: skip
        form = self._forms[line]
        parts = self._parts(form, totals, spans)
        covered, running = self._coverage(line, start, end)
        channel = self._running[line]
        watched = end - start if channel is None else sum(int(span.covered[channel]) for span in spans)
        idle = self._idle(form, parts, end - start)
        return LineView(
            parts=parts,
            covered=covered,
            quality=tuple(
                _quality(*((known, running) if running else (watched, end - start)), any(marked[s] for s in slots))
                for known, slots in zip(covered, form.slots, strict=True)
            ),
            running=running,
            watched=watched,
            operation=self._operation(line, start, end, running=bool(running), idle=idle),
            idle=idle,
            empty=not any(seen[s] for s in form.every),
        )

    def _parts(self, form: LineForm, totals: Sequence[list[int]], spans: Sequence[SpanSums]) -> tuple[Part, ...]:
        """The line's sums span by span. What lacks a value or is past its end is judged between the line's own
        edges: that another line's factor cuts the window says nothing about this one.
        """
        found = [part(form, total, span.end) for total, span in zip(totals, spans, strict=True)]
        first = 0
        for last, span in enumerate(spans):
            if last + 1 == len(spans) or span.end in form.edges:
                if last > first:
                    whole = totals[last].copy()
                    for slot in form.every:
                        whole[slot] = sum(total[slot] for total in totals[first : last + 1])
                    judged = part(form, whole, span.end)
                    found[first:last] = [one._replace(missing=(), doubts=()) for one in found[first:last]]
                    found[last] = found[last]._replace(missing=judged.missing, doubts=judged.doubts)
                first = last + 1
        if self._weighed[form.line.index]:
            found = [self._sampled(form, one, span) for one, span in zip(found, spans, strict=True)]
        back = [p.id for p in form.products if sum([one.made[p.id] for one in found]) < 0]
        if back:
            text = f"{form.line.name}: more {', '.join(back)} was taken back than made"
            found[-1] = found[-1]._replace(doubts=(*found[-1].doubts, (_OF_OUTPUT, text)))
        return tuple(found)

    def _sampled(self, form: LineForm, found: Part, span: SpanSums) -> Part:
        """An amount for which a laboratory has said nothing yet withholds what it counts in; one without a fresh
        sample marks it.
        """
        missing, doubts = list(found.missing), list(found.doubts)
        for channel, rows, unvalued in self._weighed[form.line.index]:
            if unvalued and span.estimated[channel]:
                missing.append((rows, unvalued))
            if span.flagged[channel]:
                doubts += [(rows, text) for text in self._samples.doubtful(channel, span.start, span.end)]
        return found._replace(missing=tuple(missing), doubts=tuple(doubts))

    def _operation(self, line: int, start: int, end: int, *, running: bool, idle: bool) -> Operation:
        """A line that makes nothing while its heating-up condition holds is heating up."""
        if running and not idle:
            return "running"
        warm = self._warm.get(line)
        if warm is not None and self._sums.coverage(warm, start, end)[1]:
            return "heat-up"
        return "idle" if running else "stopped"

    def _coverage(self, line: int, start: int, end: int) -> tuple[tuple[int, ...], int]:
        known: dict[int, tuple[int, int]] = {}
        running = end - start
        for group in self._asked[line]:
            if group not in known and (self._requires[group] or self._running[line] is not None):
                known[group] = self._sums.coverage(group, start, end)
                running = known[group][1]
        covered = (known[g][0] if g in known and self._requires[g] else running for g in self._asked[line])
        return tuple(covered), running

    def _idle(self, form: LineForm, parts: Sequence[Part], length: int) -> bool:
        """Whether the line makes less than its least output; products in different units are not added up."""
        if not form.products:
            return False
        made: dict[str, int] = {}
        for product in form.products:
            made[product.unit.symbol] = made.get(product.unit.symbol, 0) + sum(p.made[product.id] for p in parts)
        least = form.line.min_output
        threshold = least.numerator * length * self._scales.product
        return all(m <= 0 or m * MS_PER_HOUR * least.denominator < threshold for m in made.values())


def _weighed(plant: Plant, form: LineForm) -> list[tuple[int, tuple[str, ...], str]]:
    """The weighed channels: row, the rows of `ROWS` that they count in, why they may have no value ("": never)."""
    return [
        (row, tuple(d for d, slots in zip(ROWS, form.slots, strict=True) if slot in slots), form.unvalued.get(slot, ""))
        for row, slot in zip(form.channels, form.every, strict=True)
        if plant.channels[row].labs
    ]


def _quality(covered: int, running: int, marked: bool) -> Quality:
    """Bad below half of the time, good from nine tenths of it if nothing is estimated or flagged."""
    if 2 * covered < running:
        return "bad"
    return "uncertain" if marked or 10 * covered < 9 * running else "good"
