"""Foreign text in our sentences: it can't move a cursor, hide, or fill a screen."""

from __future__ import annotations

_SHOWN = 60


def shown(text: str | bytes) -> str:
    """Quoted, printable, at most 60 characters of it."""
    if isinstance(text, bytes):
        text = text[: 4 * _SHOWN + 4].decode("utf-8", "backslashreplace")
    return f'"{printable(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")}"'


def brief(text: str, most: int = 160) -> str:
    """Printable, not quoted; of a long one the beginning and how long it is: a topic may have 65,535 bytes."""
    return printable(text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)")


def printable(text: str) -> str:
    """What is not printable is escaped."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
