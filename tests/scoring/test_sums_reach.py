"""A sum is told whole or not at all."""

from __future__ import annotations

from devices.readings import Readings
from scoring.engine import Engine
from tests.scoring.test_engine import registry

HOUR = 3_600_000
BASE = 500_000 * HOUR


def test_a_window_before_what_is_kept_has_no_sum() -> None:
    """A kWh a minute for five days: the last hour is 60 kWh, an hour four days ago is not told in part."""
    of = registry(
        'kwh = { unit = "kWh", kind = "amount", step = "1" }\no2 = { unit = "%", kind = "level" }', windows='["1h"]'
    )
    engine = Engine(of, event_clock=True)
    minutes = range(1, 5 * 24 * 60 + 1)
    for day in range(5):
        part = minutes[day * 1440 : (day + 1) * 1440]
        ts = [BASE + m * 60_000 for m in part]
        engine.push(Readings.of([0] * len(ts), ts, [1] * len(ts), received=ts))
        engine.advance()
    end = BASE + 5 * 24 * HOUR
    amount, level = engine.sums(end)
    assert (amount.sum, amount.reason) == ("60", None)
    assert level.sum is None
    assert level.reason is not None
    assert "no average" in level.reason
    amount, _ = engine.sums(end - 96 * HOUR + 60_000)
    assert (amount.sum, amount.covered) == (None, None)
    assert amount.reason is not None
    assert "kept" in amount.reason
