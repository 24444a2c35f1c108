"""One kiln meter, one analyser, one meter with a topic and a key of its own; and a plant of everything odd."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from devices.plant.model import Kind, Plant, Site
from ingest import kernels
from ingest.decode.definition import Decoder
from ingest.decode.twin import Twin
from tests.plants import channel, plant

NOW = 1_763_800_000_000
"""Receive time of every message that names no other."""
KILN = b"plant/acme/wuhu/pyro/k1/kiln"
LARGEST = 400
"""The payload limit of `twin`, bytes."""


@pytest.fixture(scope="session")
def kiln() -> Plant:
    """The plant."""
    return plant(
        {
            "kiln": [
                channel("feed", kind=Kind.RATE, step=Fraction(1, 1000), low=0, high=500_000),
                channel("clinker", kind=Kind.RATE, source=0),
                channel("kwh", kind=Kind.COUNTER, step=Fraction(1)),
            ],
            "cems": [channel("nox"), channel("o2")],
            "coal": [channel("coal", field="TOT_1", kind=Kind.COUNTER, step=Fraction(1, 100))],
        },
        topics={"coal": "legacy/kiln1/coal"},
    )


@pytest.fixture(scope="session")
def decoder(kiln: Plant) -> Decoder:
    """Its decoder."""
    return Decoder(kiln)


@pytest.fixture(scope="session")
def works() -> Plant:
    """Steps of all sorts, a range, keys that JSON must escape, keys that begin alike, a reserved key as a field."""
    steps = {"a": "1e-6", "ab": "0.5", "b": "1000", "µ": "0.025", "fine": "1e-18", "odd": "1/3", "whole": "1"}
    made = plant(
        {
            "kiln": [channel(k, step=Fraction(v)) for k, v in steps.items()]
            + [
                channel("feed", kind=Kind.RATE, step=Fraction(1, 1000), low=0, high=500_000),
                channel("clinker", kind=Kind.RATE, source=7),
            ],
            "kiln2": [channel(k, step=Fraction(v)) for k, v in steps.items()],
            'q"\\x': [channel('x"y'), channel("back\\slash"), channel("tab\t"), channel("a")],
            "reserved": [channel("ts"), channel("a")],
            "none": [],
            "coal": [channel("coal", field="TOT_1", kind=Kind.COUNTER, step=Fraction(1, 100)), channel("x/y")],
        },
        topics={"coal": "coal", 'q"\\x': "legacy/q"},
    )
    return replace(made, sites=(Site(0, "a, b=c µ", "acme", "CN", "anhui", "Asia/Shanghai", None),))


@pytest.fixture(scope="session")
def twin(works: Plant) -> Twin:
    """Its decoder, with the kernels."""
    found = Twin(works, largest=LARGEST)
    assert kernels.wait()
    return found
