"""A plant made by hand for ingest's tests: one line with two meters, one stack with an analyser."""

from __future__ import annotations

from fractions import Fraction

from devices.plant.model import Channel, Intake, Kind, LcdChoice, Line, Meter, Plant, Scope, Site, Stack
from devices.units import Unit

T_H, MG = Unit("t/h", "mass/time", Fraction(1)), Unit("mg/m3", "concentration", Fraction(1))

CHANNELS = [("feed", 0, T_H), ("coal", 0, T_H), ("kwh", 1, T_H), ("nox", 2, MG), ("o2", 2, MG)]
"""name, meter, unit"""
METERS = ["k1-kiln", "k1-main", "cems1"]


def small_plant(site: str = "wuhu") -> Plant:
    """Plant with the rows above."""
    rates = [
        Channel(i, meter, name, name, Kind.RATE, unit, Fraction(1, 10**6), 1000, 3000)
        for i, (name, meter, unit) in enumerate(CHANNELS)
    ]
    mine = [tuple(c.index for c in rates if c.meter == m) for m in range(3)]
    topics = [
        f"plant/acme/{site}/pyro/k1/k1-kiln",
        f"plant/acme/{site}/pyro/k1/k1-main",
        f"plant/acme/{site}/stack/tail/cems1",
    ]
    meters = tuple(
        Meter(m, METERS[m], 0 if m < 2 else None, None if m < 2 else 0, 0, topics[m], 1000, mine[m]) for m in range(3)
    )
    line = Line(
        0, "k1", f"acme/{site}/pyro/k1", 0, "pyro", "cement", None, "calendar", LcdChoice(), None, Fraction(0), (0, 1)
    )
    scopes = (("line", f"acme/{site}/pyro/k1"), ("area", f"acme/{site}/pyro"), ("site", f"acme/{site}"),
              ("enterprise", "acme"), ("industry", "cement"), ("region", "CN/anhui"), ("country", "CN"))  # fmt: skip
    return Plant(
        version=1,
        intake=Intake("plant/{enterprise}/{site}/{area}/{line}/{meter}", 259_200_000, 60_000, 900_000, False),
        windows=("1min", "1h", "24h"),
        window_ms=(60_000, 3_600_000, 86_400_000),
        sites=(Site(0, site, "acme", "CN", "anhui", "Asia/Shanghai", None),),
        lines=(line,),
        stacks=(Stack(0, "tail", f"acme/{site}/tail", 0, (0,), "cn", None, (2,)),),
        meters=meters,
        channels=tuple(rates),
        scopes=tuple(Scope(i, f"{level}:{name}", level, (0,)) for i, (level, name) in enumerate(scopes)),  # type: ignore[arg-type] # literals
        alarms=(),
        products={},
        fuels={},
        materials={},
        factors={},
        benchmarks={},
        regimes={},
    )
