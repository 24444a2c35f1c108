"""Python's garbage collector rests while numba compiles: it would look through the compiler's trees, all in use."""

from __future__ import annotations

import gc
from functools import cache

from numba.core.event import Event, Listener, register


class _Rest(Listener):
    """Between the first event's start and its end; kernels compiled for a kernel come in between.

    Numba tells them under its compiler's lock, so one thread at a time.
    """

    def __init__(self) -> None:
        self._deep = 0
        self._was_on = False

    def on_start(self, _event: Event) -> None:
        if not self._deep:
            self._was_on = gc.isenabled()
            gc.disable()
        self._deep += 1

    def on_end(self, _event: Event) -> None:
        self._deep -= 1
        if not self._deep and self._was_on:
            gc.enable()


@cache
def let_collector_rest() -> None:
    """From now on, whenever this process compiles. A fifth of compiling was the collector's."""
    register("numba:compile", _Rest())  # type: ignore[no-untyped-call] # numba's types are few
