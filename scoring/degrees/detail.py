"""The CO2 balance behind a low-carbon degree, part by part, as doubles: each one division of exact integers."""

from __future__ import annotations

from scoring.degrees.balance import Balance
from scoring.degrees.scales import Scales


def co2_detail(balance: Balance, made: int | None, scales: Scales, *, powered: bool) -> dict[str, float]:
    """Parts in t CO2, heat in GJ; with the one product `made` (product scale) also per unit of it, heat then in MJ.

    Gross counts fossil alternative fuels, net does not; biogenic CO2 is a memo item in neither. What needs a
    grid factor is left out where none is in force (`powered` false).
    """
    gross = balance.process + balance.fuel + balance.alternative + balance.measured
    net = gross - balance.alternative
    t = scales.co2
    detail = {
        "process": balance.process / t,
        "fuel": balance.fuel / t,
        "alternative": balance.alternative / t,
        "measured": balance.measured / t,
        "biogenic": balance.biogenic / t,
        "gross": gross / t,
        "net": net / t,
        "heat": balance.heat / scales.heat,
    }
    if powered:
        detail["electricity"] = balance.power / t
        detail["gross_with_power"] = (gross + balance.power) / t
    if made is not None and made > 0:
        units = t * made
        detail["gross_per_output"] = gross * scales.product / units
        detail["net_per_output"] = net * scales.product / units
        detail["heat_per_output"] = 1000 * balance.heat * scales.product / (scales.heat * made)
        if powered:
            detail["gross_with_power_per_output"] = (gross + balance.power) * scales.product / units
    return detail
