"""What a person at the terminal is told on standard output: rows of a key and a text, and one line of progress."""

from __future__ import annotations

import sys
from typing import TextIO

BAR = 24


def say(*rows: tuple[str, str]) -> None:
    """The banner: which broker, store, folder and why."""
    for key, value in rows:
        sys.stdout.write(f"{key:<7} {value}\n")
    sys.stdout.flush()


def say_line(text: str) -> None:
    """One line."""
    sys.stdout.write(f"{text}\n")


class Progress:
    """One line that is written over and over; nothing where standard output is no terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._terminal, self._open = out, out.isatty(), False

    def show(self, key: str, what: str, done: int, total: int) -> None:
        """How far it is."""
        if not self._terminal:
            return
        full = BAR * done // max(1, total)
        self._out.write(f"\r\x1b[K{key:<7} {'█' * full}{'░' * (BAR - full)} {100 * done // max(1, total):3} %  {what}")
        self._out.flush()
        self._open = True

    def clear(self) -> None:
        """Take the line away: something else is written now."""
        if self._open:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._open = False
