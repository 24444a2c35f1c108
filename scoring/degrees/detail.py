"""The balance behind a degree, part by part, as doubles: each one division of exact integers."""

from __future__ import annotations

from scoring.degrees.balance import Balance
from scoring.degrees.scales import Scales


def detail(degree: str, balance: Balance, made: int | None, scales: Scales, *, powered: bool) -> dict[str, float]:
    """What is told beside a degree. `made`: the one product's output (product scale), None where there are several.

    What needs a grid factor is left out where none is in force (`powered` false).
    """
    if degree == "lcd":
        co2 = _co2(balance, made, scales, powered=powered)
        return {**co2, **_named(balance, made, scales, powered=powered), **_shares(balance)}
    if degree == "cd":
        return {"waste_t": balance.waste / scales.mass, "material_t": balance.cd / scales.mass}
    return {}


def _co2(balance: Balance, made: int | None, scales: Scales, *, powered: bool) -> dict[str, float]:
    """Parts in t CO2, heat in GJ; with the one product also per unit of it, heat then in MJ.

    Gross counts fossil alternative fuels, net does not; biogenic CO2 is a memo item in neither.
    """
    gross = _gross(balance)
    net = gross - balance.alternative
    t = scales.co2
    found = {
        "process": balance.process / t,
        "fuel": balance.fuel / t,
        "alternative": balance.alternative / t,
        "measured": balance.measured / t,
        "biogenic": balance.biogenic / t,
        "deductions": balance.deducted / t,
        "gross": gross / t,
        "net": net / t,
        "heat": balance.heat / scales.heat,
    }
    if powered:
        found["electricity"] = balance.power / t
        found["gross_with_power"] = (gross + balance.power) / t
    if made is not None and made > 0:
        units = t * made
        found["gross_per_output"] = gross * scales.product / units
        found["net_per_output"] = net * scales.product / units
        found["heat_per_output"] = 1000 * balance.heat * scales.product / (scales.heat * made)
        if powered:
            found["gross_with_power_per_output"] = (gross + balance.power) * scales.product / units
    return found


def _named(balance: Balance, made: int | None, scales: Scales, *, powered: bool) -> dict[str, float]:
    """The same under the names of the accounts, whatever the benchmark's basis: `co2_…` in t, `…_per_t` in t/t.

    `co2_direct` is on the lines' own basis (gross or net) without electricity, `co2_total` with it.
    """
    gross = _gross(balance)
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
    found["heat_gj"] = balance.heat / scales.heat
    for name in ("bought", "exported", "waste_heat"):
        if amount := getattr(balance, name):
            found[f"kwh_{name}"] = amount / scales.energy
    if made is not None and made > 0:
        units = scales.co2 * made
        found |= {f"{name}_per_t": value * scales.product / units for name, value in parts.items()}
        found["heat_per_t"] = 1000 * balance.heat * scales.product / (scales.heat * made)
    return found


def _shares(balance: Balance) -> dict[str, float]:
    """Of exact sums: thermal substitution, clinker factor; each where there is something to divide by."""
    found = {}
    if balance.heat > 0:
        found["tsr"] = balance.alternative_heat / balance.heat
    if balance.cementitious > 0 and balance.clinker:
        found["clinker_factor"] = balance.clinker / balance.cementitious
    return found


def _gross(balance: Balance) -> int:
    return balance.process + balance.fuel + balance.alternative + balance.measured - balance.deducted
