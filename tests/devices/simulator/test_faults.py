import json
from functools import cache

import numpy as np
import pytest

from devices.broker import Broker
from devices.errors import ConfigurationError
from devices.plant import load
from devices.plant.model import Kind, Plant
from devices.simulator import DEMO
from devices.simulator.faults import DESCRIPTIONS, EVERY_S, Fault, parse, plan
from devices.simulator.link import Link
from devices.simulator.plant import SimulatedPlant
from devices.simulator.publisher import Device

START = 1_763_800_000_000 // 60_000 * 60_000
ADDRESS = Broker.parse("mqtt://127.0.0.1:1")


@cache
def demo() -> Plant:
    return load(DEMO)


def run(name: str, seed: int = 1) -> tuple[Fault, list[tuple[int, str]], list[tuple[int, str]]]:
    """(the fault, its meter's messages of the first two minutes with it, and without)."""
    model = SimulatedPlant(demo(), seed)
    (fault,) = plan([name], model.meters, seed, START)
    sent = []
    for faults in ([fault], []):
        device = Device(fault.meter, Link(ADDRESS, "x"), 1000, faults)
        device.made_until = START
        device.make(START + 120_000)
        sent.append(list(device.due))
    return fault, sent[0], sent[1]


def objects(messages: list[tuple[int, str]]) -> list[dict[str, float]]:
    bodies = [json.loads(text) for _, text in messages]
    return [o for body in bodies for o in (body if isinstance(body, list) else [body])]


def changed(name: str) -> tuple[Fault, str, list[float], list[float]]:
    """(the fault, its field, that field's values with it, and without) while it holds."""
    fault, faulty, clean = run(name)
    assert fault.source
    field = fault.source.channel.field
    pairs = [(a, b) for a, b in zip(objects(faulty), objects(clean), strict=True) if a != b]
    assert pairs
    assert all({k for k in a if a[k] != b[k]} == {field} for a, b in pairs), "only this field differs"
    return fault, field, [a[field] for a, _ in pairs], [b[field] for _, b in pairs]


def test_every_fault_is_seeded_and_comes_back() -> None:
    """The same seed picks the same meter and time; each begins 20–40 s after the start and every 5 minutes."""
    model = SimulatedPlant(demo(), 4)
    for name in DESCRIPTIONS:
        one, two = (plan([name], model.meters, 4, START)[0] for _ in range(2))
        assert one == two
        ts = START + np.array([0, EVERY_S * 1000], dtype=np.int64)
        for begin, at in zip(one.begin(ts), ts, strict=True):
            assert 20_000 <= begin - at < 40_000


def test_spike_reads_eight_times_too_high_for_ten_seconds() -> None:
    """A span check on an analyser."""
    _, field, seen, true = changed("spike")
    assert field == "nox"
    assert len(seen) == 10
    assert np.allclose(np.array(seen), 8 * np.array(true))


def test_frozen_holds_one_value() -> None:
    """For a minute nothing moves."""
    _, _, seen, _ = changed("frozen")
    assert len(set(seen)) == 1
    assert 55 <= len(seen) <= 60


def test_o2_reads_outside_air() -> None:
    """Normalisation must refuse such minutes."""
    _, field, seen, _ = changed("o2")
    assert (field, set(seen)) == ("o2", {20.9})


def test_unit_is_wrong_by_a_factor_or_a_zero() -> None:
    """A temperature in K, or kg for t."""
    fault, _, seen, true = changed("unit")
    assert fault.source
    assert np.allclose(np.array(seen) - np.array(true), 273.15, atol=0.1)


@pytest.mark.parametrize("name", ["wrap", "reset"])
def test_counter_starts_again_at_zero(name: str) -> None:
    """A wrap falls from just below the modulus, a reset from wherever it was; both go on at the same pace."""
    fault, _, seen, true = changed(name)
    assert fault.source
    assert fault.source.channel.kind is Kind.COUNTER
    modulus = float((fault.source.channel.modulus or 0) * fault.source.channel.step)
    drops = [i for i in range(1, len(seen)) if seen[i] < seen[i - 1]]
    if name == "wrap":
        assert len(drops) == 1
        assert modulus - seen[drops[0] - 1] < modulus / 1000
    else:
        assert drops == []
        assert seen[0] < true[0]
    assert seen[-1] < 120 * 60
    assert (seen[-1] - seen[0] - (true[-1] - true[0])) % modulus == pytest.approx(0, abs=1e-6)


def test_skew_moves_the_clock() -> None:
    """Two minutes ahead for a minute, values untouched."""
    _, faulty, clean = run("skew")
    moved = [a["ts"] - b["ts"] for a, b in zip(objects(faulty), objects(clean), strict=True)]
    assert moved.count(120_000) == 60
    assert set(moved) == {0, 120_000}


def test_duplicate_says_it_twice() -> None:
    """The same bytes again."""
    _, faulty, clean = run("duplicate")
    assert len(faulty) == len(clean) + 60
    assert sorted(set(faulty)) == sorted(set(clean))


def test_late_keeps_everything_for_one_array() -> None:
    """Held for a minute, then all of it in one array, in order."""
    _, faulty, clean = run("late")
    assert objects(faulty) == objects(clean)
    (at, batch) = next((at, json.loads(text)) for at, text in faulty if text.startswith("["))
    assert len(batch) == 60
    assert at - batch[0]["ts"] >= 59_000


def test_silent_leaves_a_gap() -> None:
    """45 s without a message; the others untouched."""
    _, faulty, clean = run("silent")
    assert len(clean) - len(faulty) == 45
    assert set(faulty) <= set(clean)


def test_unknown_and_impossible_faults_are_refused() -> None:
    """A sentence each, naming what there is."""
    with pytest.raises(ConfigurationError, match="no fault `spikes`"):
        parse("frozen, spikes")
    assert parse("late, o2,,late") == ("late", "o2")
    cems = [m for m in SimulatedPlant(demo(), 1).meters if m.meter.name != "cems-tail"]
    with pytest.raises(ConfigurationError, match="can have the fault `o2`"):
        plan(["o2"], cems, 1, START)
