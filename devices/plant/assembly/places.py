"""Sites, lines and stacks: where things are. What depends on channels, `finish_lines` adds when these are built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import floor

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.model import Benchmark, Channel, Kind, LcdChoice, Line, Running, Site, Stack, Substitution
from devices.plant.tables.line import LineTable, RunningTable
from devices.plant.tables.stack import StackTable
from devices.units import Quantity, factor, unit

MOST_HOURS = 2160
"""Of substitution: a quarter of a year of hours is kept."""


def sites(book: Book) -> None:
    """All sites, in order of name."""
    factors: dict[str, list[str]] = {}
    for f in book.registry.factors:
        factors.setdefault(f.id, []).append(f.unit.dimension)
    for row, (name, t) in enumerate(sorted(book.registry.sites.items())):
        table, grid = f"site.{name}", t.electricity
        known = grid is None or book.knows("factor", grid, factors, table, "electricity", f'[[factor]] id = "{grid}"')
        if grid is not None and known and set(factors[grid]) != {"mass/energy"}:
            cause = f"factor `{grid}` is not CO2 per energy"
            book.mistakes.add(table, "electricity", cause, "name one in kg CO2/kWh")
        if t.region and not t.country:
            book.mistakes.add(
                table, "country", "a region without a country is no scope", 'add it, for example `country = "CN"`'
            )
        book.sites[name] = Site(row, name, t.enterprise, t.country or "", t.region or "", t.timezone, grid)
        book.site_rows.append(book.sites[name])


def lines(book: Book) -> None:
    """All lines, in order of id."""
    placed = []
    for name, t in book.registry.lines.items():
        if book.knows("site", t.site, book.sites, f"line.{name}", "site"):
            site = book.sites[t.site]
            placed.append((f"{site.enterprise}/{site.name}/{t.area}/{name}", name, t, site))
    for row, (id_, name, t, site) in enumerate(sorted(placed, key=lambda p: p[0])):
        book.lines[name] = Line(
            row, name, id_, site.index, t.area, t.industry or "", t.people, t.hours, LcdChoice(), None, Fraction(0), (),
            t.norms,
        )  # fmt: skip


def stacks(book: Book) -> None:
    """All stacks, in order of id. A stack stands on the site of its lines."""
    placed = []
    for name, t in book.registry.stacks.items():
        table = f"stack.{name}"
        known = [line for line in t.lines if book.knows("line", line, book.registry.lines, table, "lines")]
        book.knows("regime", t.regime, book.registry.regimes, table, "regime")
        if len(set(t.lines)) < len(t.lines):
            book.mistakes.add(table, "lines", "names a line twice", "keep one of them")
        on = {book.registry.lines[line].site for line in known} | ({t.site} if t.site else set())
        if len(on) > 1:
            book.mistakes.add(
                table, "lines", f"stands on {len(on)} sites: {', '.join(sorted(on))}", "name lines of one site"
            )
        elif not on and not t.lines:
            book.mistakes.add(table, "lines", "is missing", 'add it, for example `lines = ["k1"]`, or name the `site`')
        site = next(iter(sorted(on)), None)
        if len(on) == 1 and site and book.knows("site", site, book.sites, table, "site"):
            place = book.sites[site]
            placed.append((f"{place.enterprise}/{site}/{name}", name, t, place, known))
    for row, (id_, name, t, place, known) in enumerate(sorted(placed, key=lambda p: p[0])):
        rows = tuple(sorted({book.lines[line].index for line in known if line in book.lines}))
        ambient = _ambient(book, name, t.ambient)
        permit = {pollutant: mass.to("t") for pollutant, mass in sorted(t.permit.items())}
        stands_in = _substitution(book, name, t)
        book.stacks[name] = Stack(row, name, id_, place.index, rows, t.regime, ambient, (), permit, stands_in)


def finish_lines(book: Book, channels: list[Channel], benchmarks: Mapping[str, tuple[Benchmark, ...]]) -> None:
    """What a line says about channels and products: when it runs, when it idles, how its CO2 is judged."""
    for name, t in book.registry.lines.items():
        if name in book.lines:
            book.lines[name] = replace(
                book.lines[name],
                running=_running(book, name, t.running, "running", channels),
                heat_up=_running(book, name, t.heat_up, "heat_up", channels),
                min_output=_min_output(book, name, t),
                lcd=_lcd(book, name, t, benchmarks),
            )


def _substitution(book: Book, name: str, t: StackTable) -> Substitution | None:
    said = t.substitution
    if said is None:
        return None
    table = f"stack.{name}.substitution"
    if said.rule == "max" and not said.hours:
        book.mistakes.add(table, "hours", "is missing", "write of how many valid hours, for example `hours = 720`")
    if said.rule != "max" and said.hours is not None:
        book.mistakes.add(table, "hours", f"does not go with the rule `{said.rule}`", "leave it out")
    if (said.hours or 0) > MOST_HOURS:
        book.mistakes.add(table, "hours", f"is more than {MOST_HOURS}", "write fewer hours")
    return Substitution(said.rule, said.hours or 1)


def _ambient(book: Book, name: str, given: Quantity | Fraction | None) -> Fraction | None:
    try:
        pressure = given.to("Pa") if isinstance(given, Quantity) else given
    except ConfigurationError as problem:
        book.noted(f"stack.{name}", "ambient", problem)
        return None
    if pressure is not None and not 30_000 < pressure < 120_000:
        book.mistakes.add(
            f"stack.{name}", "ambient", f"{float(pressure):g} Pa is no ambient pressure", "write it like `101300 Pa`"
        )
    return pressure


def _running(book: Book, name: str, t: RunningTable | None, key: str, channels: list[Channel]) -> Running | None:
    if t is None:
        return None
    table = f"line.{name}.{key}"
    found = book.find_channel(t.channel, table, "channel")
    row = None if found is None else book.channel_rows.get(found)
    if found is None or row is None or row >= len(channels) or (channel := channels[row]) is None:
        return None
    if channel.source is not None:
        book.mistakes.add(table, "channel", f"`{t.channel}` is derived", "name the channel that it is derived from")
    elif channel.kind not in (Kind.RATE, Kind.LEVEL):
        why = "its readings are amounts: they have no value at a moment"
        book.mistakes.add(
            table, "channel", f"`{t.channel}` is a {channel.kind.name.lower()}; {why}", "name a rate or a level"
        )
    return Running(row, floor(t.above / channel.step))  # an integer count is above x where it is above ⌊x⌋


def _min_output(book: Book, name: str, t: LineTable) -> Fraction:
    table = f"line.{name}"
    if t.min_output is None or isinstance(t.min_output, Fraction):
        value = t.min_output or Fraction(0)
    else:
        given, made = t.min_output.unit, sorted(book.made.get(name, ()))
        targets = [book.registry.products[id_].unit for id_ in made] or [unit("t")]
        try:
            value = t.min_output.value * factor(given, f"{targets[0].symbol}/h")
        except ConfigurationError as problem:
            book.noted(table, "min_output", problem)
            return Fraction(0)
    if value < 0:
        book.mistakes.add(table, "min_output", "is below zero", "write zero or more")
    return value


def _lcd(book: Book, name: str, t: LineTable, benchmarks: Mapping[str, tuple[Benchmark, ...]]) -> LcdChoice:
    """The line's choice. What it leaves open, its benchmark decides: the one named, else the only one possible.

    A choice that does not fit the named benchmark stands: the CO2 is counted as chosen and the degree withheld.
    """
    table, said, made = f"line.{name}.lcd", t.lcd, book.made.get(name, set())
    if said.benchmark is None:
        wanted = LcdChoice(said.basis or "gross", True if said.power is None else said.power)
        fit = [
            b
            for b in _latest(benchmarks)
            if b.product in made and said.basis in (None, b.basis) and said.power in (None, b.power)
        ]
        exact = [b for b in fit if (b.basis, b.power) == (wanted.basis, wanted.power)]
        only = exact or fit
        return LcdChoice(only[0].basis, only[0].power, only[0].id) if len(only) == 1 and len(made) == 1 else wanted
    wanted = LcdChoice(said.basis or "gross", said.power is not False, said.benchmark)
    if not book.knows(
        "benchmark", said.benchmark, set(benchmarks), table, "benchmark", f'[[benchmark]] id = "{said.benchmark}"'
    ):
        return wanted
    entries = benchmarks[said.benchmark]
    if not entries:  # its own mistakes are noted
        return wanted
    theirs = entries[-1]
    if made and theirs.product not in made:
        makes = ", ".join(f"`{p}`" for p in sorted(made))
        book.mistakes.add(
            table,
            "benchmark",
            f"`{theirs.id}` is for `{theirs.product}`; the line makes {makes}",
            "name one for its product",
        )
    power = theirs.power if said.power is None else said.power
    return LcdChoice(said.basis or theirs.basis, power, theirs.id)


def _latest(benchmarks: Mapping[str, tuple[Benchmark, ...]]) -> list[Benchmark]:
    return [entries[-1] for entries in benchmarks.values() if entries]
