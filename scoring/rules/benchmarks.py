"""Which benchmark a line's product is held against. Never one of another product, basis or power choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from devices.plant.model import Benchmark, LcdChoice, Line, Plant


@dataclass(frozen=True, slots=True)
class Chosen:
    """The benchmark of one line's product, or why there is none."""

    id: str = ""
    entries: tuple[Benchmark, ...] = ()  # every dated period of the id
    why: str | None = None  # in words, where there is none

    @property
    def boundaries(self) -> frozenset[str]:
        """Of the entries: stage, chain, both (a registry that changed its mind), or nothing."""
        return frozenset(entry.boundary for entry in self.entries)


def basis_name(choice: LcdChoice) -> str:
    """How a line counts its CO2, in words: "gross", "net with power" and so on."""
    return f"{choice.basis} with power" if choice.power else choice.basis


def choose(plant: Plant, line: Line, product: str, products: Sequence[str]) -> Chosen:
    """The benchmark for one of the line's `products`: the one the line names, else the only one that fits."""
    named = line.lcd.benchmark
    if named is not None:
        entries = plant.benchmarks.get(named, ())
        if not entries:
            return Chosen(why=f"benchmark {named} is not in the registry")
        if all(entry.product not in products for entry in entries):
            return Chosen(why=f"benchmark {named} is for {entries[-1].product}, which the line does not make")
        if all(entry.product == product for entry in entries):
            return Chosen(named, entries, _unlike(named, entries, line.lcd))
    fit = {id_: e for id_, e in plant.benchmarks.items() if e and all(_fits(x, product, line.lcd) for x in e)}
    if len(fit) == 1:
        return Chosen(*next(iter(fit.items())))
    if fit:
        return Chosen(why=f"{len(fit)} benchmarks fit {product} ({', '.join(sorted(fit))}): name one in `lcd`")
    return Chosen(why=f"no benchmark for {product}, {basis_name(line.lcd)}")


def _fits(entry: Benchmark, product: str, choice: LcdChoice) -> bool:
    return (entry.product, entry.basis, entry.power) == (product, choice.basis, choice.power)


def _unlike(id_: str, entries: Sequence[Benchmark], choice: LcdChoice) -> str | None:
    for entry in entries:
        if (entry.basis, entry.power) != (choice.basis, choice.power):
            theirs = basis_name(LcdChoice(entry.basis, entry.power))
            return f"benchmark {id_} is {theirs}, the line counts {basis_name(choice)}: never mixed"
    return None
