"""Times are RFC 3339 with a zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import times
from devices.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2025-12-31T15:30Z", 1_767_195_000_000),
        ("2025-12-31T23:30:00+08:00", 1_767_195_000_000),
        ("1969-12-31T23:59:59.5Z", -500),
        ("2025-12-31t15:30:00.001000z", 1_767_195_000_001),
    ],
)
def test_parse(text: str, ms: int) -> None:
    """UTC milliseconds, whatever the zone."""
    assert times.parse(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "2025-12-31T15:30:00",
        "2025-02-30T00:00:00Z",
        "2025-12-31",
        "now",
        "2025-12-31T15:30:00.0001Z",
        "2016-12-31T23:59:60Z",
        "2025-12-31T25:00:00Z",
        "0001-01-01T00:00:00+99:00",
        "٢٠٢٥-12-31T15:30:00Z",
    ],
)
def test_refused(text: str) -> None:
    """No zone, no such day, finer than a millisecond: refused."""
    with pytest.raises(ConfigurationError):
        times.parse(text)


def test_format_in_a_zone() -> None:
    """A control room reads local time."""
    assert times.format(1_767_195_000_000, ZoneInfo("Asia/Shanghai")) == "2025-12-31T23:30:00+08:00"
    assert times.format(1_767_195_000_001) == "2025-12-31T15:30:00.001Z"


@given(st.integers(-(10**13), 10**14))
def test_there_and_back(ms: int) -> None:
    """What is written reads as the same instant."""
    assert times.parse(times.format(ms)) == ms


@pytest.mark.parametrize(
    ("text", "ms"), [("1767195000000", 1_767_195_000_000), ("2025-12-31T15:30Z", 1_767_195_000_000)]
)
def test_an_instant_is_either(text: str, ms: int) -> None:
    """Programs give milliseconds, people a time with its zone."""
    assert times.instant(text) == ms


@pytest.mark.parametrize("text", ["9" * 400, "-5", "٥", "2025-12-31T15:30"])
def test_no_instant(text: str) -> None:
    """Neither, and both ways are named."""
    with pytest.raises(ConfigurationError, match="milliseconds since 1970"):
        times.instant(text)
