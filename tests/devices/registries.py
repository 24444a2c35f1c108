"""The documented registry, and ways to change one thing in it."""

from __future__ import annotations

from pathlib import Path

from devices.errors import Mistake, RegistryError
from devices.plant import Plant, parse

EXAMPLE = (Path(__file__).parent / "plant.example.toml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    """The example with one passage replaced."""
    assert EXAMPLE.count(old) >= 1, f"{old!r} is not in the example"
    return EXAMPLE.replace(old, new, 1)


def example() -> Plant:
    """The example, compiled."""
    return parse(EXAMPLE, file="plant.example.toml")


def mistakes(text: str) -> tuple[Mistake, ...]:
    """Every mistake of a registry; none if it loads."""
    try:
        parse(text, file="plant.toml")
    except RegistryError as wrong:
        return wrong.mistakes
    return ()
