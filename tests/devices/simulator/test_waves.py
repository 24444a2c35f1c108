import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.simulator.waves import FAST, Gate, Gated, Signal, key, noise, uniform, wave

seeds = st.integers(0, 2**63 - 1)


def signals(of: int) -> list[Signal]:
    gate = Gate(of, 2880.0, 420.0, 60.0)
    drift = wave(of, 340.0, 8.0)
    mill = Gated(gate, 100.0, wave(of + 1, 0.0, 1.5, FAST))
    return [drift, drift.delayed(1800.0) * 2.0 + wave(of + 2, 1.0, 0.5), mill, (mill * 3.0) + 0.25]


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(1e6, 3e8))
def test_integral_is_the_area_under_the_value(of: int, begin: float) -> None:
    """Each signal's integral is what numeric integration of its value gives, and never falls."""
    t = begin + np.arange(0.0, 6000.0, 2.0)
    for signal in signals(of):
        value, amount = signal.value(t), signal.integral(t)
        area = np.concatenate([[0.0], np.cumsum((value[1:] + value[:-1]) / 2 * 2.0 / 3600)])
        assert np.abs(amount - amount[0] - area).max() < 2e-3 * max(1.0, area[-1] / 100)
        assert (np.diff(amount) >= 0).all()


def test_a_machine_stands_its_share_of_the_time() -> None:
    """Over many cycles a gate is off for its share of each."""
    gate = Gate(key(1, "mill"), 21600.0, 3500.0, 300.0)
    t = np.arange(0.0, 50 * 21600.0, 60.0)
    assert np.isclose(gate.value(t).mean(), 1 - 3200 / 21600, atol=0.005)
    assert gate.value(t).min() == 0.0


@given(seeds)
def test_noise_depends_on_key_and_time_only(of: int) -> None:
    """The same times give the same noise, asked for together or one by one."""
    ts = np.array([1_763_800_000_000, 1_763_800_001_000, 1_763_800_000_000], dtype=np.int64)
    together = noise(of, ts)
    assert together[0] == together[2]
    assert together[1] == noise(of, ts[1:2])[0]
    assert ((uniform(of, ts) >= 0) & (uniform(of, ts) < 1)).all()


def test_noise_is_normal() -> None:
    """Mean 0, σ 1."""
    drawn = noise(7, np.arange(100_000))
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
