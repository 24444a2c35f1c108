"""Fault 13, `fast path ≡ slow path`: made-up messages, compared as columns and as the bytes that the store is sent."""

from __future__ import annotations

import os
import random
import time

import pytest

from devices.plant.model import Plant
from ingest import kernels
from ingest.decode import passes
from ingest.decode.twin import Twin
from ingest.decode.window import bounds
from ingest.line_protocol import ReadingEncoder
from ingest.lines import Block, joined
from tests.ingest.decode.conftest import NOW
from tests.ingest.decode.messages import message
from tests.ingest.decode.twins import record, same

pytestmark = pytest.mark.fault(13)

RECORD = 300
"""Messages of a record."""
LARGEST = 1000
"""Bytes of a payload: few are larger."""


def fuzz(plant: Plant, wanted: int, seed: int) -> str:
    """Compare at least so many messages of a seed; what was compared, in words."""
    twin = Twin(plant, largest=LARGEST)
    assert kernels.wait()
    draw, encoder, window = random.Random(seed), ReadingEncoder(plant), bounds(NOW, plant.intake)
    frames = slow = rows = rejects = lines = 0
    began = time.monotonic()
    while frames < wanted:
        level = draw.choice((4, 5))
        body = b"".join([message(draw, level) for _ in range(RECORD)])
        fast, defined = twin.decode([record(body, level)]), twin.definition.decode([record(body, level)])
        same(fast, defined)
        n = len(defined.readings)
        lettered = set(draw.sample(range(n), n // 8))
        sent, meant = encoder.encode(fast.readings, lettered=lettered), encoder.defined(defined.readings, lettered)
        assert isinstance(sent.lines, Block) == (n > 0), "the compiled encoder did not write them"
        assert joined(sent.lines) == joined(meant.lines)
        assert list(sent.first) == list(meant.first)
        assert twin._tables is not None
        slow += len(passes.run(body, level, 1040, NOW, window, twin._tables).slow)
        frames, rows, rejects = frames + fast.frames, rows + n, rejects + len(defined.rejects)
        lines += len(sent.lines)
    assert frames * 0.3 < slow < frames * 0.7, "both ways must be gone"
    assert rows > frames / 2
    assert rejects > frames / 4
    took = time.monotonic() - began
    return (
        f"seed {seed}: {frames:,} messages in {took:,.0f} s, of which the pass took {frames - slow:,}; "
        f"{rows:,} readings in {lines:,} lines, {rejects:,} rejects, all the same"
    )


def test_the_same_columns_and_lines(works: Plant) -> None:
    """Twenty thousand messages: readings, digits, rejects, and the line protocol, byte for byte."""
    fuzz(works, 20_000, seed=7)


@pytest.mark.long
@pytest.mark.timeout(6 * 3600)
def test_ten_million_messages(works: Plant, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with ten million. GREENGAUGE_FUZZ: how many, GREENGAUGE_FUZZ_SEED: of which seed."""
    wanted, seed = os.environ.get("GREENGAUGE_FUZZ", "10000000"), os.environ.get("GREENGAUGE_FUZZ_SEED", "11")
    told = fuzz(works, int(wanted), int(seed))
    with capsys.disabled():
        print(told)  # noqa: T201 - the figure
