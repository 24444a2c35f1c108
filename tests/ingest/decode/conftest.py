"""One kiln meter, one analyser, one meter with a topic and a key of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest

from devices.plant.model import Kind, Plant
from ingest.decode.definition import Decoder
from tests.plants import channel, plant

NOW = 1_763_800_000_000
"""Receive time of every message that names no other."""


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
