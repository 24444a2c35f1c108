"""What a kind of specific energy is counted in: a line's power and heat as one integer on a scale."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from devices.plant.norm import EnergyKind
from devices.units import factor
from scoring.degrees.scales import Scales
from scoring.degrees.window import LineView

COUNTED_IN: dict[EnergyKind, str] = {"electricity": "kWh", "heat": "MJ", "comprehensive": "kgce"}


@dataclass(frozen=True, slots=True)
class Measure:
    """Σ (power × kWh + heat × GJ) / scale, in the kind's unit."""

    power: int
    heat: int
    scale: int
    basis: str

    def of(self, view: LineView) -> int:
        """The energy that a line took, on the scale."""
        return sum(part.balance.kwh * self.power + part.balance.heat * self.heat for part in view.parts)


def measure(energy: EnergyKind, scales: Scales, *, burning: bool, kgce_per_kwh: Fraction | None) -> Measure:
    """How `energy` is counted where fuel is metered or not (`burning`).

    In comprehensive energy power counts `kgce_per_kwh`; None: its 3.6 MJ, at 29.3076 MJ per kgce (GB/T 2589).
    """
    if energy == "electricity":
        return Measure(1, 0, scales.energy, "electricity")
    if energy == "heat":
        return Measure(0, int(factor("GJ", "MJ")), scales.heat, "fuel, net calorific value")
    per_kwh = (factor("kWh", "kgce") if kgce_per_kwh is None else kgce_per_kwh) / scales.energy
    per_gj = factor("GJ", "kgce") / scales.heat
    scale = lcm(per_kwh.denominator, per_gj.denominator)
    said = "electricity at " + ("3.6 MJ/kWh" if kgce_per_kwh is None else f"{float(kgce_per_kwh):g} kgce/kWh")
    return Measure(int(per_kwh * scale), int(per_gj * scale), scale, f"fuel + {said}" if burning else said)
