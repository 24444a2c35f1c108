"""A line's sums as linear forms of its channels' totals, one sheet for each time in which no value changes.

Dated values are put in, laboratory values stand in the weighed channels; so every coefficient is a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from devices.plant.model import Benchmark, Dated, Line, Plant
from devices.plant.terms import DEGREES, Factor, Term, counted, terms
from devices.plant.values import Sampled, Series
from devices.plant.weighed import LIMB_BITS, Rows, labs_of
from scoring.degrees.amounts import per_count
from scoring.rules.benchmarks import Chosen, choose
from scoring.rules.timeline import EVER, Timeline

Key = tuple[str, str]
"""(sum, id): the id of what is kept apart, else ""."""


class Note(NamedTuple):
    """What is to be said if the channel has an amount in a span that ends after `after`."""

    channel: int
    degrees: tuple[str, ...]  # and specific energies
    missing: bool  # there is no value; else it is used after its end
    after: int  # ms
    text: str


@dataclass(slots=True)
class Sheet:
    """Coefficients in the sums' units per count of the channel."""

    sums: dict[Key, dict[int, Fraction]] = field(default_factory=dict)
    notes: dict[Note, None] = field(default_factory=dict)

    def add(self, to: str, id_: str, rows: dict[int, Fraction]) -> None:
        """One more linear form in a sum."""
        row = self.sums.setdefault((to, id_), {})
        for channel, coefficient in rows.items():
            row[channel] = row.get(channel, Fraction(0)) + coefficient


@dataclass(frozen=True, slots=True)
class Account:
    """All of a line, before it is put on common scales."""

    line: Line
    channels: tuple[int, ...]  # rows of Plant.channels that the coefficients speak of
    products: dict[str, tuple[Chosen, Timeline[Benchmark]]]  # made here
    grid: Timeline[Dated]
    edges: tuple[int, ...]  # instants (ms) at which another value comes into force
    sheets: tuple[Sheet, ...]  # before the first edge, after it, after the second …
    ends: tuple[int, ...]  # ms; by sheet: of a span that it is for


class Accountant:
    """Makes the accounts of a plant's lines."""

    def __init__(self, plant: Plant, weighed: Rows) -> None:
        """`weighed` of the plant."""
        self._plant, self._weighed = plant, weighed

    def account(self, line: Line) -> Account:
        """One line's."""
        plant, site = self._plant, self._plant.sites[line.site]
        found = tuple(terms(plant, line))
        grid = Timeline(plant.factors.get(site.electricity or "", ()), site.timezone)
        made = tuple(dict.fromkeys(term.id for term in found if term.to == "made"))
        chosen = {id_: choose(plant, line, id_, made) for id_ in made}
        products = {id_: (one, Timeline(one.entries, site.timezone)) for id_, one in chosen.items()}
        dated = {
            factor.value: Timeline(factor.value.entries, site.timezone)
            for term in found
            for factor in term.factors
            if isinstance(factor.value, Series)
        }
        begins = [p.begins for timeline in (grid, *dated.values()) for p in timeline.periods]
        begins += [p.begins for _, timeline in products.values() for p in timeline.periods]
        edges = sorted(set(begins))
        bases = [term.weight * per_count(plant, term.channel, term.unit) for term in found]
        ends = (edges[0] if edges else 0, *(edge + 1 for edge in edges))
        sheets = tuple(self._sheet(found, bases, dated, end) for end in ends)
        used = dict.fromkeys(c.index for c in counted(plant, line))
        used |= dict.fromkeys(row for sheet in sheets for rows in sheet.sums.values() for row in rows)
        used |= dict.fromkeys(note.channel for sheet in sheets for note in sheet.notes)
        return Account(line, tuple(used), products, grid, tuple(edges), sheets, ends)

    def _sheet(
        self, found: tuple[Term, ...], bases: list[Fraction], dated: dict[Series, Timeline[Dated]], end: int
    ) -> Sheet:
        """The coefficients in force in a span that ends at `end`."""
        sheet = Sheet()
        for term, weight in zip(found, bases, strict=True):
            for factor in term.factors:
                weight *= self._constant(sheet, term, factor, dated, end)
            rows = self._rows(term, weight)
            sheet.add(term.to, term.id if term.to in ("made", "used") else "", rows)
            if term.to in ("gd", "cd", "waste") and term.id in self._plant.products:
                sheet.add(f"{term.to} of", term.id, rows)
        return sheet

    def _constant(
        self, sheet: Sheet, term: Term, factor: Factor, dated: dict[Series, Timeline[Dated]], end: int
    ) -> Fraction:
        value = factor.value
        if isinstance(value, Sampled):
            return Fraction(1)
        if isinstance(value, Series):
            timeline, degrees = dated[value], DEGREES.get(term.to, ())
            row = timeline.at(end)
            if row < 0:
                text = f"factor {value.id} is not yet in force"
                sheet.notes[Note(term.channel.index, degrees, True, EVER, text)] = None
                return Fraction(0)
            period = timeline.periods[row]
            text = f"factor {value.id} expired after {period.entry.end}"
            sheet.notes[Note(term.channel.index, degrees, False, period.expires, text)] = None
            value = period.entry.value
        return 1 - value if factor.rest else value

    def _rows(self, term: Term, weight: Fraction) -> dict[int, Fraction]:
        """The term's coefficient on its channel, or on the digits of the channel weighed by its laboratory values."""
        labs, worth = labs_of(term.factors)
        if not labs:
            return {term.channel.index: weight}
        rows = self._weighed[term.channel.index, labs]
        return {row: weight * worth * (1 << LIMB_BITS * limb) for limb, row in enumerate(rows)}
