"""The balance behind a degree, part by part, as doubles: each one division of exact integers.

One set of names, told in docs/scores.md: `co2_…` in t CO2, `…_per_t` the same per t of the one product.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from scoring.degrees.balance import Balance
from scoring.degrees.scales import Scales


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
        only = next(iter(made.values())) * tonnes if len(made) == 1 and tonnes is not None else Fraction(0)
        return found | _co2(balance, only, scales, powered=powered) | _shares(balance)
    if degree == "cd":
        return found | {"waste_t": ratio[0], "material_t": ratio[1]}
    return found


def _co2(balance: Balance, made: Fraction, scales: Scales, *, powered: bool) -> dict[str, float]:
    """`made`: t of the one product, on the product scale; 0 where there is none.

    Whatever the benchmark's basis. Gross counts fossil alternative fuels, net does not; biogenic CO2 is a memo item
    in neither. `co2_direct` is on the lines' own basis (gross or net) without electricity, `co2_total` with it.
    """
    gross = balance.process + balance.fuel + balance.alternative + balance.measured - balance.deducted
    parts = {
        "co2_process": balance.process,
        "co2_fuel": balance.fuel + balance.alternative,
        "co2_alternative": balance.alternative,
        "co2_biogenic": balance.biogenic,
        "co2_measured": balance.measured,
        "co2_gross": gross,
        "co2_net": gross - balance.alternative,
        "co2_direct": balance.direct,
    }
    if powered:
        parts |= {"co2_power": balance.power, "co2_total": balance.direct + balance.power}
    found = {name: value / scales.co2 for name, value in parts.items()}
    found["deductions"] = balance.deducted / scales.co2
    found["heat_gj"] = balance.heat / scales.heat
    for name in ("bought", "exported", "waste_heat"):
        if amount := getattr(balance, name):
            found[f"kwh_{name}"] = amount / scales.energy
    if made > 0:
        n, d = made.numerator, made.denominator
        units = scales.co2 * n
        found |= {f"{name}_per_t": value * scales.product * d / units for name, value in parts.items()}
        found["heat_per_t"] = 1000 * balance.heat * scales.product * d / (scales.heat * n)
    return found


def _shares(balance: Balance) -> dict[str, float]:
    """Of exact sums: thermal substitution, clinker factor; each where there is something to divide by."""
    found = {}
    if balance.heat > 0:
        found["tsr"] = balance.alternative_heat / balance.heat
    if balance.cementitious > 0 and balance.clinker:
        found["clinker_factor"] = balance.clinker / balance.cementitious
    return found
