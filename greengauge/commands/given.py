"""`given`: an option's text, read; a refusal names the option."""

from __future__ import annotations

from collections.abc import Callable

from devices.errors import ConfigurationError


def given(option: str, text: str, read: Callable[[str], int]) -> int:
    """`read(text)`, with `option` as the place of its ConfigurationError."""
    try:
        return read(text)
    except ConfigurationError as problem:
        raise ConfigurationError(problem.cause, where=option, mend=problem.mend) from None
