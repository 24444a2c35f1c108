"""One window of one line: its parts between factor edges, how it ran, how complete and how good it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from devices.readings import I64
from scoring.degrees.balance import Part, part
from scoring.degrees.coverage import HEAT_UP, ROWS
from scoring.degrees.forms import LineForm
from scoring.degrees.ragged import Ragged
from scoring.degrees.samples import Samples
from scoring.degrees.scales import MS_PER_HOUR, Scales
from scoring.results import Operation, Quality
from scoring.windows.sums import CoverageGroup, SpanSums, Sums

_OF_OUTPUT = tuple(row for row in ROWS if row != "cd")
ORDER: tuple[Quality, ...] = ("good", "uncertain", "bad")
"""From best to worst."""


class LineView(NamedTuple):
    """One line over one window. Tuples by row follow the order of `ROWS`: degrees, then energies."""

    parts: tuple[Part, ...]  # one for each span between factor edges
    covered: tuple[int, ...]  # by row: ms in which all it requires is known while the line runs
    quality: tuple[Quality, ...]  # by row
    running: int  # ms in which the line runs
    watched: int  # ms in which it is known whether it runs
    operation: Operation
    idle: bool
    empty: bool  # not one reading
    unsure: bool = False  # it runs, and for more than a tenth of the time nobody knows whether it does

    def unheard(self, row: int) -> bool:
        """Whether it runs, and at no time all was read that the row of `ROWS` requires."""
        return self.running > 0 and not self.covered[row]


def worst(qualities: Iterable[Quality]) -> Quality:
    """The worst of some; bad where there are none."""
    return max(qualities, key=ORDER.index, default="bad")


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
        self._asked = np.asarray(
            [
                [alike.setdefault((groups[row].channels, groups[row].running), row) for row in own]
                for own in ([rows[line.index, name] for name in ROWS] for line in plant.lines)
            ],
            np.int64,
        ).reshape(-1, len(ROWS))
        self._every = Ragged(form.every for form in forms)
        self._counting = Ragged(slots for form in forms for slots in form.slots)
        self._units = [_units(form) for form in forms]

    def spans(self, start: int, end: int, lines: Sequence[int] | None = None) -> list[tuple[SpanSums, list[int]]]:
        """(start, end] cut where a factor changes: each span's sums, and the totals by slot; of some lines alone."""
        few = lines is not None and 2 * len(lines) <= len(self._forms)  # else it is one call for all
        wanted = np.array([c for line in lines or () for c in self._forms[line].channels], np.int64) if few else None
        inside = self._edges[bisect_right(self._edges, start) : bisect_left(self._edges, end)]
        spans = [self._sums.span(a, b, wanted) for a, b in pairwise([start, *inside, end])]
        return [(span, self._totals(span, lines if few else None)) for span in spans]

    def views(
        self, start: int, end: int, lines: Sequence[int], cut: Sequence[tuple[SpanSums, list[int]]] | None = None
    ) -> dict[int, LineView]:
        """The lines (rows of Plant.lines) over (start, end]; `cut` is `spans(start, end)` where it is known already."""
        spans, totals = zip(*(cut or self.spans(start, end)), strict=True)
        seen, marked = self._seen(spans)
        length = end - start
        rows = np.asarray(lines, np.intp)
        covered, running = self._coverage(rows, start, end)
        watched = [
            length if channel is None else sum(int(span.covered[channel]) for span in spans)
            for channel in (self._running[line] for line in lines)
        ]
        quality = _qualities(covered, running, np.asarray(watched, np.int64), length, marked[rows])
        views = {}
        for k, (line, runs) in enumerate(zip(lines, running.tolist(), strict=True)):
            form = self._forms[line]
            parts = self._parts(form, totals, spans)
            idle = self._idle(line, parts, length)
            views[line] = LineView(
                parts=parts,
                covered=tuple(covered[k].tolist()),
                quality=quality[k],
                running=runs,
                watched=watched[k],
                operation=self._operation(line, start, end, running=bool(runs), idle=idle),
                idle=idle,
                empty=not seen[line],
                unsure=bool(runs) and 10 * watched[k] < 9 * length,
            )
        return views

    def _totals(self, span: SpanSums, lines: Sequence[int] | None) -> list[int]:
        """`SpanSums.total` by slot; of some lines' slots alone."""
        if lines is not None:
            totals = [0] * len(self._channels)
            for slot in (slot for line in lines for slot in self._forms[line].every):
                totals[slot] = span.total(int(self._channels[slot]))
            return totals
        high, low = span.high[self._channels].tolist(), span.low[self._channels].tolist()
        return [(h << 32) + rest for h, rest in zip(high, low, strict=True)]

    def _seen(self, spans: Sequence[SpanSums]) -> tuple[list[bool], NDArray[np.bool_]]:
        """By line whether anything was read; [line, row of `ROWS`]: whether anything of it is estimated or flagged."""
        rows = self._channels
        seen = np.zeros(len(rows), np.bool_)
        marked = np.zeros(len(rows), np.bool_)
        for span in spans:
            marked |= (span.estimated[rows] != 0) | (span.flagged[rows] != 0)
            seen |= (span.covered[rows] != 0) | (span.high[rows] != 0) | (span.low[rows] != 0)
        every: list[bool] = self._every.most(seen | marked, False).tolist()
        return every, self._counting.most(marked, False).reshape(-1, len(ROWS))

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
        if warm is not None and self._sums.coverages(np.asarray([warm]), start, end)[0, 1]:
            return "heat-up"
        return "idle" if running else "stopped"

    def _coverage(self, lines: NDArray[np.intp], start: int, end: int) -> tuple[I64, I64]:
        """[line, row of `ROWS`]: ms in which all that the row requires is known while the line runs; ms in which it
        runs.
        """
        wanted = self._asked[lines]
        asked, places = np.unique(wanted, return_inverse=True)
        known = self._sums.coverages(asked, start, end)[places.reshape(wanted.shape)]
        return known[:, :, 0], known[:, -1, 1]

    def _idle(self, line: int, parts: Sequence[Part], length: int) -> bool:
        """Whether the line makes less than its least output; products in different units are not added up."""
        least = self._forms[line].line.min_output
        threshold = least.numerator * length * self._scales.product
        units = self._units[line]
        for products in units:
            made = sum([part.made[id_] for part in parts for id_ in products])
            if made > 0 and made * MS_PER_HOUR * least.denominator >= threshold:
                return False
        return bool(units)


def _units(form: LineForm) -> list[list[str]]:
    """The products that a line makes, apart by unit."""
    units: dict[str, list[str]] = {}
    for product in form.products:
        units.setdefault(product.unit.symbol, []).append(product.id)
    return list(units.values())


def _weighed(plant: Plant, form: LineForm) -> list[tuple[int, tuple[str, ...], str]]:
    """The weighed channels: row, the rows of `ROWS` that they count in, why they may have no value ("": never)."""
    return [
        (row, tuple(d for d, slots in zip(ROWS, form.slots, strict=True) if slot in slots), form.unvalued.get(slot, ""))
        for row, slot in zip(form.channels, form.every, strict=True)
        if plant.channels[row].labs
    ]


def _qualities(
    covered: I64, running: I64, watched: I64, length: int, marked: NDArray[np.bool_]
) -> list[tuple[Quality, ...]]:
    """By line and row: bad below half of the time, good from nine tenths of it if nothing is estimated or flagged.

    The time is that in which the line runs or may run, for all that is known; of one that stands still, all of it,
    known where it is known to. (Completeness keeps to the letter of the law: known running time / running time.)
    """
    runs = running[:, None] > 0
    known = np.where(runs, covered, watched[:, None])
    time = np.where(runs, running[:, None] + length - watched[:, None], length)
    found = np.where(2 * known < time, 2, marked | (10 * known < 9 * time))
    return [tuple([ORDER[k] for k in row]) for row in found.tolist()]
