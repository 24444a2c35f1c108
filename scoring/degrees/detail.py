"""The balance behind a degree, part by part, as doubles: each one division of exact integers.

One set of names, told in docs/scores.md: `co2_…` in t CO2, `…_per_t` the same per t of the one product.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from scoring.degrees.balance import Balance
from scoring.degrees.scales import Scales


class PerT(NamedTuple):
    """(above, below): an amount per 1 of the product, on their scales, × above / below is in t CO2/t, or in MJ/t."""

    co2: tuple[int, int]
    heat: tuple[int, int]

    @classmethod
    def of(cls, scales: Scales, tonnes: Fraction) -> PerT:
        """Of a product that is counted in a unit of so many `tonnes`."""
        product = scales.product / tonnes
        return cls((product / scales.co2).as_integer_ratio(), (1000 * product / scales.heat).as_integer_ratio())


_PARTS: tuple[str, ...] = (
    "co2_process", "co2_fuel", "co2_alternative", "co2_biogenic", "co2_measured", "co2_gross", "co2_net", "co2_direct",
)  # fmt: skip
_POWERED: tuple[str, ...] = (*_PARTS, "co2_power", "co2_total")
_PER_T = {names: tuple(f"{name}_per_t" for name in names) for names in (_PARTS, _POWERED)}


def detail(
    degree: str,
    ratio: tuple[float, float],
    balance: Balance,
    made: Mapping[str, int],
    per_t: PerT | None,
    scales: Scales,
    *,
    powered: bool,
) -> dict[str, float]:
    """What is told beside a degree's two sums, its `ratio`.

    `made`: output by product, on the product scale; `per_t` of the one product, None where it is no mass.

    What needs a grid factor is left out where none is in force (`powered` false). A scope of several products says of
    each how much was made: their sum counts twice what one line makes and another one consumes.
    """
    found: dict[str, float] = {}
    if len(made) > 1:
        found = {f"output_{id_}": amount / scales.product for id_, amount in sorted(made.items())}
    if degree == "lcd":
        only = next(iter(made.values())) if len(made) == 1 and per_t is not None else 0
        _add_co2(found, balance, only, per_t, scales, powered=powered)
        _add_shares(found, balance)
    elif degree == "cd":
        found["waste_t"], found["material_t"] = ratio
    return found


def _add_co2(
    found: dict[str, float], b: Balance, made: int, per_t: PerT | None, scales: Scales, *, powered: bool
) -> None:
    """Whatever the benchmark's basis. Gross counts fossil alternative fuels, net does not; biogenic CO2 is a memo item
    in neither. `co2_direct` is on the lines' own basis (gross or net) without electricity, `co2_total` with it.
    """
    net = b.process + b.fuel + b.measured - b.deducted
    amounts = [
        b.process, b.fuel + b.alternative, b.alternative, b.biogenic, b.measured, net + b.alternative, net, b.direct,
    ]  # fmt: skip
    names = _PARTS
    if powered:
        names = _POWERED
        amounts += b.power, b.direct + b.power
    scale = scales.co2
    found.update(zip(names, [amount / scale for amount in amounts], strict=True))
    found["deductions"] = b.deducted / scale
    found["heat_gj"] = b.heat / scales.heat
    if b.bought:
        found["kwh_bought"] = b.bought / scales.energy
    if b.exported:
        found["kwh_exported"] = b.exported / scales.energy
    if b.waste_heat:
        found["kwh_waste_heat"] = b.waste_heat / scales.energy
    if made > 0 and per_t is not None:
        above, below = per_t.co2[0], made * per_t.co2[1]
        found.update(zip(_PER_T[names], [amount * above / below for amount in amounts], strict=True))
        found["heat_per_t"] = b.heat * per_t.heat[0] / (made * per_t.heat[1])


def _add_shares(found: dict[str, float], balance: Balance) -> None:
    """Of exact sums: thermal substitution, clinker factor; each where there is something to divide by."""
    if balance.heat > 0:
        found["tsr"] = balance.alternative_heat / balance.heat
    if balance.cementitious > 0 and balance.clinker:
        found["clinker_factor"] = balance.clinker / balance.cementitious
