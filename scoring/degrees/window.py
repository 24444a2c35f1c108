"""One window of one line: its parts between factor edges, how it ran, how complete and how good it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from devices.plant.weighed import weighed_rows
from devices.readings import I64
from scoring.degrees.balance import Part, Totals, part, part_of
from scoring.degrees.coverage import DEGREES, HEAT_UP, ROWS
from scoring.degrees.forms import LineForm
from scoring.degrees.ragged import Ragged
from scoring.degrees.samples import Samples
from scoring.degrees.scales import MS_PER_HOUR, Scales
from scoring.results import Operation, Quality
from scoring.windows.sums import CoverageGroup, SpanSums, Sums, whole

_OF_OUTPUT = tuple(row for row in ROWS if row != "cd")
ORDER: tuple[Quality, ...] = ("good", "uncertain", "bad")
"""From best to worst."""


class LineView(NamedTuple):
    """One line over one window. Tuples by row follow the order of `ROWS`: degrees, then energies if they are asked."""

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


class Looked(NamedTuple):
    """Some lines over one window; arrays have a row for each of `lines`."""

    lines: Sequence[int]  # rows of Plant.lines
    views: dict[int, LineView]
    covered: I64  # [line, row of `ROWS`]: `LineView.covered`
    running: I64  # [line]
    watched: I64  # [line]
    rank: I64  # [line, row of `ROWS`]: of its quality, in `ORDER`
    unsure: NDArray[np.bool_]  # [line]


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
        self._alike: dict[int, tuple[Ragged, list[int]]] = {}
        self._running = np.array([line.running.channel if line.running else -1 for line in plant.lines], np.intp)
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
        self._beside = _beside(plant, forms)
        self._every = Ragged(form.every for form in forms)
        self._counting = Ragged(slots for form in forms for slots in form.slots)
        self._idle_below = [_idle_below(form, scales) for form in forms]

    def many(self, lines: Collection[int]) -> bool:
        """Whether it is better to ask for the sums of all lines than for those of these."""
        return 2 * len(lines) > len(self._forms)

    def spans(self, start: int, end: int, lines: Sequence[int] | None = None) -> list[tuple[SpanSums, Totals]]:
        """(start, end] cut where a factor changes: each span's sums, and the totals by slot; of some lines alone."""
        inside = self._edges[bisect_right(self._edges, start) : bisect_left(self._edges, end)]
        ends = [start, *inside, end]
        if lines is None or self.many(lines):
            every = [self._sums.span(a, b) for a, b in pairwise(ends)]
            return [(span, whole(span.high[self._channels], span.low[self._channels])) for span in every]
        own = np.array([c for line in lines for c in self._forms[line].channels], np.int64)
        wanted = np.concatenate([own, *(self._beside[line] for line in lines)])
        spans = [self._sums.span(a, b, wanted) for a, b in pairwise(ends)]
        slots = [slot for line in lines for slot in self._forms[line].every]
        return [(span, dict(zip(slots, whole(span.high[own], span.low[own]), strict=True))) for span in spans]

    def views(
        self,
        start: int,
        end: int,
        lines: Sequence[int],
        cut: Sequence[tuple[SpanSums, Totals]] | None = None,
        *,
        energies: bool = True,
    ) -> Looked:
        """The lines (rows of Plant.lines) over (start, end]; `cut` is `spans(start, end)` where it is known already.

        Without `energies` the rows of `ROWS` are those of degrees alone.
        """
        spans, totals = zip(*(cut or self.spans(start, end)), strict=True)
        few = not self.many(lines)
        amounts = None if few else [self._amounts(span) for span in spans]
        rows = np.asarray(lines, np.intp)
        seen, marked = self._seen_of(lines, spans) if few else self._seen(rows, spans)
        length = end - start
        columns = len(ROWS if energies else DEGREES)
        covered, running = self._coverage(self._asked[rows, :columns], start, end)
        watched = self._watched(rows, spans, length)
        rank = _ranks(covered, running, watched, length, marked[:, :columns])
        unsure = (running > 0) & (10 * watched < 9 * length)
        views = {}
        for line, any_, known, runs, watch, ranks, doubt in zip(
            lines, seen, covered.tolist(), running.tolist(), watched.tolist(), rank.tolist(), unsure.tolist(),
            strict=True,
        ):  # fmt: skip
            form = self._forms[line]
            parts = self._parts(form, amounts, totals, spans)
            idle = self._idle(line, parts, length)
            views[line] = LineView(
                parts,
                tuple(known),
                tuple([ORDER[k] for k in ranks]),
                runs,
                watch,
                "running" if runs and not idle else self._standing(line, start, end, running=bool(runs)),
                idle,
                not any_,
                doubt,
            )
        return Looked(lines, views, covered, running, watched, rank, unsure)

    def _amounts(self, span: SpanSums) -> tuple[list[int], list[int]]:
        """Of all lines one after another, the totals of `Period.alike` in the span; where each line's begin."""
        key = bisect_left(self._edges, span.end)
        found = self._alike.get(key)
        if found is None:
            alike = [form.at(span.end).alike for form in self._forms]
            begins = [0, *accumulate(map(len, alike))]
            found = self._alike[key] = Ragged(slots for own in alike for slots in own), begins
        ragged, begins = found
        return whole(ragged.sum(span.high[self._channels]), ragged.sum(span.low[self._channels])), begins

    def _watched(self, lines: NDArray[np.intp], spans: Sequence[SpanSums], length: int) -> I64:
        """[line]: ms in which it is known whether it runs; all the time where no channel tells."""
        channels = self._running[lines]
        known = np.sum([span.covered[channels] for span in spans], axis=0)
        return np.where(channels < 0, length, known)

    def _seen(self, lines: NDArray[np.intp], spans: Sequence[SpanSums]) -> tuple[list[bool], NDArray[np.bool_]]:
        """By line whether anything was read; [line, row of `ROWS`]: whether anything of it is estimated or flagged."""
        seen, marked = _read(self._channels, spans)
        every: list[bool] = self._every.most(seen | marked, False)[lines].tolist()
        return every, self._counting.most(marked, False).reshape(-1, len(ROWS))[lines]

    def _seen_of(self, lines: Sequence[int], spans: Sequence[SpanSums]) -> tuple[list[bool], NDArray[np.bool_]]:
        """`_seen`, where they are few: of their own channels alone."""
        forms = [self._forms[line] for line in lines]
        seen, marked = _read(np.array([c for form in forms for c in form.channels], np.intp), spans)
        every, rows, first, marks = [], [], 0, marked.tolist()
        for form in forms:
            every.append(bool((seen | marked)[first : first + len(form.channels)].any()))
            begins = first - form.every.start
            rows.append([True in [marks[begins + slot] for slot in slots] for slots in form.slots])
            first += len(form.channels)
        return every, np.array(rows, np.bool_).reshape(-1, len(ROWS))

    def _parts(
        self,
        form: LineForm,
        amounts: Sequence[tuple[list[int], list[int]]] | None,
        totals: Sequence[Totals],
        spans: Sequence[SpanSums],
    ) -> tuple[Part, ...]:
        """The line's sums span by span."""
        line = form.line.index
        if amounts is None:
            found = [part(form, total, span.end) for total, span in zip(totals, spans, strict=True)]
        else:
            found = [
                part_of(form, alike[begins[line] : begins[line + 1]], total, span.end)
                for (alike, begins), total, span in zip(amounts, totals, spans, strict=True)
            ]
        if len(found) > 1:
            self._judge(form, found, totals, spans)
        if self._weighed[line]:
            found = [self._sampled(form, one, span) for one, span in zip(found, spans, strict=True)]
        back = [p.id for p in form.products if sum([one.made[p.id] for one in found]) < 0]
        if back:
            text = f"{form.line.name}: more {', '.join(back)} was taken back than made"
            found[-1] = found[-1]._replace(doubts=(*found[-1].doubts, (_OF_OUTPUT, text)))
        return tuple(found)

    def _judge(self, form: LineForm, found: list[Part], totals: Sequence[Totals], spans: Sequence[SpanSums]) -> None:
        """What lacks a value or is past its end is judged between the line's own edges: that another line's factor
        cuts the window says nothing about this one.
        """
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

    def _standing(self, line: int, start: int, end: int, *, running: bool) -> Operation:
        """A line that makes nothing while its heating-up condition holds is heating up."""
        warm = self._warm.get(line)
        if warm is not None and self._sums.coverages(np.asarray([warm]), start, end)[0, 1]:
            return "heat-up"
        return "idle" if running else "stopped"

    def _coverage(self, wanted: I64, start: int, end: int) -> tuple[I64, I64]:
        """[line, row of `ROWS`] of groups: ms in which all that the row requires is known while the line runs; [line]:
        ms in which it runs.
        """
        asked, places = np.unique(wanted, return_inverse=True)
        known = self._sums.coverages(asked, start, end)[places.reshape(wanted.shape)]
        return known[:, :, 0], known[:, -1, 1]

    def _idle(self, line: int, parts: Sequence[Part], length: int) -> bool:
        """Whether the line makes less than its least output; products in different units are not added up."""
        units, weight, least = self._idle_below[line]
        for products in units:
            made = sum([part.made[id_] for part in parts for id_ in products])
            if made > 0 and made * weight >= least * length:
                return False
        return bool(units)


def _idle_below(form: LineForm, scales: Scales) -> tuple[list[list[str]], int, int]:
    """The products that a line makes, apart by unit; (weight, least): it is idle where made × weight < least × ms."""
    units: dict[str, list[str]] = {}
    for product in form.products:
        units.setdefault(product.unit.symbol, []).append(product.id)
    least = form.line.min_output
    return list(units.values()), MS_PER_HOUR * least.denominator, least.numerator * scales.product


def _beside(plant: Plant, forms: Sequence[LineForm]) -> list[I64]:
    """By line the channels that are asked for though they need not count in anything: what tells whether it runs, and
    what its weighed amounts are made of.
    """
    limbs, found = weighed_rows(plant), []
    for form in forms:
        running = plant.lines[form.line.index].running
        rows = set() if running is None else {running.channel}
        for channel in (plant.channels[c] for c in form.channels if plant.channels[c].labs):
            rows |= {lab.channel for lab in channel.labs}
            if channel.source is not None:
                rows |= {channel.source, *limbs.get((channel.source, channel.labs), ())}
        found.append(np.array(sorted(rows - set(form.channels)), np.int64))
    return found


def _read(channels: NDArray[np.intp], spans: Sequence[SpanSums]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By channel: whether anything was read in the spans, and whether anything of it is estimated or flagged."""
    seen = np.zeros(len(channels), np.bool_)
    marked = np.zeros(len(channels), np.bool_)
    for span in spans:
        marked |= (span.estimated[channels] != 0) | (span.flagged[channels] != 0)
        seen |= (span.covered[channels] != 0) | (span.high[channels] != 0) | (span.low[channels] != 0)
    return seen, marked


def _weighed(plant: Plant, form: LineForm) -> list[tuple[int, tuple[str, ...], str]]:
    """The weighed channels: row, the rows of `ROWS` that they count in, why they may have no value ("": never)."""
    return [
        (row, tuple(d for d, slots in zip(ROWS, form.slots, strict=True) if slot in slots), form.unvalued.get(slot, ""))
        for row, slot in zip(form.channels, form.every, strict=True)
        if plant.channels[row].labs
    ]


def _ranks(covered: I64, running: I64, watched: I64, length: int, marked: NDArray[np.bool_]) -> I64:
    """By line and row: bad below half of the time, good from nine tenths of it if nothing is estimated or flagged.

    The time is that in which the line runs or may run, for all that is known; of one that stands still, all of it,
    known where it is known to. (Completeness keeps to the letter of the law: known running time / running time.)
    """
    runs = running[:, None] > 0
    known = np.where(runs, covered, watched[:, None])
    time = np.where(runs, running[:, None] + length - watched[:, None], length)
    return np.where(2 * known < time, 2, marked | (10 * known < 9 * time))
