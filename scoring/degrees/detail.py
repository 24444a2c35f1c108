"""The balance behind a degree, part by part, as doubles: each one division of exact integers.

One set of names, told in docs/scores.md: `co2_…` in t CO2, `…_per_t` the same per t of the one product.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from scoring.degrees.balance import Balance
from scoring.degrees.scales import Scales

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
    tonnes: Fraction | None,
    scales: Scales,
    *,
    powered: bool,
) -> dict[str, float]:
    """What is told beside a degree's two sums, its `ratio`.

    `made`: output by product, on the product scale; `tonnes` in a unit of it, None where it is no mass.

    What needs a grid factor is left out where none is in force (`powered` false). A scope of several products says of
    each how much was made: their sum counts twice what one line makes and another one consumes.
    """
    found: dict[str, float] = {}
    if len(made) > 1:
        found = {f"output_{id_}": amount / scales.product for id_, amount in sorted(made.items())}
    if degree == "lcd":
        _add_co2(found, balance, scales, powered=powered)
        if len(made) == 1 and tonnes is not None:
            (only,) = made.values()
            _add_per_t(found, balance, only, tonnes, scales, powered=powered)
        _add_shares(found, balance)
    elif degree == "cd":
        found["waste_t"], found["material_t"] = ratio
    return found


def _parts(b: Balance, *, powered: bool) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names and amounts, whatever the benchmark's basis. Gross counts fossil alternative fuels, net does not; biogenic
    CO2 is a memo item in neither. `co2_direct` is on the lines' own basis (gross or net) without electricity,
    `co2_total` with it.
    """
    net = b.process + b.fuel + b.measured - b.deducted
    parts = (
        b.process, b.fuel + b.alternative, b.alternative, b.biogenic, b.measured, net + b.alternative, net, b.direct,
    )  # fmt: skip
    return (_POWERED, (*parts, b.power, b.direct + b.power)) if powered else (_PARTS, parts)


def _add_co2(found: dict[str, float], balance: Balance, scales: Scales, *, powered: bool) -> None:
    names, amounts = _parts(balance, powered=powered)
    co2 = scales.co2
    found.update(zip(names, [amount / co2 for amount in amounts], strict=True))
    found["deductions"] = balance.deducted / co2
    found["heat_gj"] = balance.heat / scales.heat
    if balance.bought:
        found["kwh_bought"] = balance.bought / scales.energy
    if balance.exported:
        found["kwh_exported"] = balance.exported / scales.energy
    if balance.waste_heat:
        found["kwh_waste_heat"] = balance.waste_heat / scales.energy


def _add_per_t(
    found: dict[str, float], balance: Balance, made: int, tonnes: Fraction, scales: Scales, *, powered: bool
) -> None:
    """The same per t of the one product; nothing where there is none of it."""
    above, below = scales.product * tonnes.denominator, made * tonnes.numerator
    if below > 0:
        names, amounts = _parts(balance, powered=powered)
        units = scales.co2 * below
        found.update(zip(_PER_T[names], [amount * above / units for amount in amounts], strict=True))
        found["heat_per_t"] = 1000 * balance.heat * above / (scales.heat * below)


def _add_shares(found: dict[str, float], balance: Balance) -> None:
    """Of exact sums: thermal substitution, clinker factor; each where there is something to divide by."""
    if balance.heat > 0:
        found["tsr"] = balance.alternative_heat / balance.heat
    if balance.cementitious > 0 and balance.clinker:
        found["clinker_factor"] = balance.clinker / balance.cementitious
