"""The whole plant from the whole registry."""

from __future__ import annotations

from dataclasses import replace

from devices import durations
from devices.plant.assembly import meters as metering
from devices.plant.assembly import places, processing, rules
from devices.plant.assembly.alarms import alarms
from devices.plant.assembly.book import Book
from devices.plant.assembly.implied import imply
from devices.plant.assembly.norms import norms
from devices.plant.assembly.regimes import regimes
from devices.plant.assembly.scopes import scopes
from devices.plant.assembly.weighing import weigh
from devices.plant.assembly.worth import Worths
from devices.plant.mistakes import Mistakes
from devices.plant.model import Intake, Line, Meter, Plant, Stack
from devices.plant.registry import Registry
from devices.plant.version import version


def assemble(registry: Registry, mistakes: Mistakes) -> Plant:
    """The plant. Whatever does not fit is noted; with mistakes noted the plant is incomplete and not to be used."""
    book = Book(registry, mistakes)
    imply(book)
    dated = regimes(book)
    factors, benchmarks = rules.factors(book), rules.benchmarks(book)
    places.sites(book)
    places.lines(book)
    places.stacks(book)
    meters, channels = metering.meters(book)
    dated_norms = norms(book)
    worths = Worths(book, channels, factors)
    channels = processing.moist(book, worths, channels)
    places.finish_lines(book, channels, benchmarks)
    lines, stacks = _with_meters(book, meters)
    products = rules.products(book, worths)
    sites = tuple(book.sites.values())
    windows = _windows(book)
    whole = scopes(lines, sites)
    intake = registry.intake
    plant = Plant(
        version=0,
        intake=Intake(intake.topic, intake.past, intake.future, intake.grace, intake.history, intake.simulated),
        windows=windows,
        window_ms=tuple(durations.parse(window) for window in windows),
        sites=sites,
        lines=lines,
        stacks=stacks,
        meters=tuple(meters),
        channels=tuple(channels),
        scopes=whole,
        alarms=alarms(book, whole, channels, dated, windows),
        products=products,
        fuels=rules.fuels(book, worths),
        materials=rules.materials(book, worths, products),
        factors=factors,
        benchmarks=benchmarks,
        regimes=dated,
        norms=dated_norms,
    )
    processing.check_feeds(book, products, lines, channels)
    plant = plant if mistakes.found else weigh(book, plant)
    return plant if mistakes.found else replace(plant, version=version(plant))


def _with_meters(book: Book, meters: list[Meter]) -> tuple[tuple[Line, ...], tuple[Stack, ...]]:
    of_line: dict[int, list[int]] = {}
    of_stack: dict[int, list[int]] = {}
    for meter in meters:
        if meter.line is not None:
            of_line.setdefault(meter.line, []).append(meter.index)
        elif meter.stack is not None:
            of_stack.setdefault(meter.stack, []).append(meter.index)
    lines = sorted(book.lines.values(), key=lambda line: line.index)
    stacks = sorted(book.stacks.values(), key=lambda stack: stack.index)
    return (
        tuple(replace(line, meters=tuple(of_line.get(line.index, ()))) for line in lines),
        tuple(replace(stack, meters=tuple(of_stack.get(stack.index, ()))) for stack in stacks),
    )


def _windows(book: Book) -> tuple[str, ...]:
    """Windows in ascending length."""
    found: dict[int, str] = {}
    for text in book.registry.scoring.windows:
        ms = durations.parse(text)
        if ms in found:
            book.mistakes.add("scoring", "windows", f"`{found[ms]}` and `{text}` are one window", "keep one of them")
        found[ms] = text
    return tuple(text for _, text in sorted(found.items()))
