"""Mass of a pollutant: its dry concentration, before any oxygen correction, times the dry standard flow.

    Q·p/101325·K0/(Z + t)·(1 − Xw)       hot wet m³/h → standard dry m³/h (40 CFR 60 method 2; HJ 75-2017 App. A)

The same state cancels in the product, so mass does not depend on the regime's standard. A minute's mass is
quantised half-even to 1 µg and its gas to 1 l; everything after that is exact.
"""

from __future__ import annotations

from scoring.stacks.normalise import STANDARD_PA, Frame, Gas

UG_PER_KG = 1_000_000_000
UG_PER_T = 1000 * UG_PER_KG


def standard_flow(flow: float, gas: Gas, frame: Frame, *, hot: bool, wet: bool) -> float | None:
    """m³/h → dry m³/h at the regime's standard state; None where temperature, pressure or moisture is missing."""
    if hot:
        if gas.pressure is None or gas.celsius is None or frame.zero_k + gas.celsius <= 0.0:
            return None
        flow = flow * gas.pressure / STANDARD_PA * frame.standard_k / (frame.zero_k + gas.celsius)
    if wet:
        if gas.moisture is None or gas.moisture >= 100.0:
            return None
        flow = flow * (1.0 - gas.moisture / 100.0)
    return max(flow, 0.0)


def micrograms(mg_m3: float, m3_h: float) -> int:
    """µg in one minute."""
    return round(max(mg_m3, 0.0) * m3_h / 60.0 * 1000.0)


def litres(m3_h: float) -> int:
    """Dry standard litres in one minute."""
    return round(m3_h / 60.0 * 1000.0)
