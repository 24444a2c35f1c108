"""Durations are exact milliseconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import durations
from devices.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90_000),
        ("15min", 900_000),
        ("8h", 28_800_000),
        ("30d", 2_592_000_000),
        ("250ms", 250),
        ("1.5h", 5_400_000),
        ("0s", 0),
    ],
)
def test_parse(text: str, ms: int) -> None:
    """One number and one unit."""
    assert durations.parse(text) == ms


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("5m", "5min"),
        ("2 hours", "2h"),
        ("15", "15min"),
        ("-1s", "15min"),
        ("1h30min", "15min"),
        ("0.0001s", "coarser"),
        ("٣s", "15min"),
    ],
)
def test_refused(text: str, mend: str) -> None:
    """What is no duration is refused with what was meant."""
    with pytest.raises(ConfigurationError) as refused:
        durations.parse(text)
    assert mend in refused.value.mend


@given(st.integers(0, 10**12))
def test_there_and_back(ms: int) -> None:
    """What is written reads as the same duration."""
    assert durations.parse(durations.format(ms)) == ms
