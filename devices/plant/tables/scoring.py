"""`[scoring]`: which windows are shown."""

from __future__ import annotations

from typing import Annotated

from devices import durations
from devices.errors import ConfigurationError
from devices.plant.tables.reading import Table, as_list, as_text, each, reads
from devices.plant.tables.values import span

LONGEST_WINDOW = 3660 * durations.DAY


def _windows(value: object) -> tuple[str, ...]:
    found = each(as_list(value, '["1h", "24h"]'), _window)
    if not found:
        raise ConfigurationError("the list is empty", mend='write at least one duration, like `["1h"]`')
    return found


def _window(value: object) -> str:
    """As written. T moves in steps, so a window is a whole number of its steps."""
    written = as_text(value, "1h").strip()
    ms = span(written)
    step = durations.SECOND if ms <= durations.HOUR else durations.MINUTE if ms <= durations.DAY else durations.HOUR
    if ms % step:
        whole = durations.format(step)
        cause = f"`{written}` is not a whole number of its {whole} steps"
        raise ConfigurationError(cause, mend=f"write a multiple of {whole}")
    if ms > LONGEST_WINDOW:
        raise ConfigurationError(f"`{written}` is longer than ten years", mend="write a shorter window")
    return written


class ScoringTable(Table):
    """Defaults are those of contracts.md."""

    windows: Annotated[tuple[str, ...], reads(_windows)] = ("1min", "15min", "1h", "8h", "24h", "30d")
