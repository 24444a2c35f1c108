"""The garbage collector rests while numba compiles, and only then."""

from __future__ import annotations

import gc

import numba
import pytest
from numba.core.event import Listener, register, unregister

from scoring.windows.collector import let_collector_rest


@pytest.mark.parametrize("on", [True, False])
def test_rests_while_compiling(on: bool) -> None:
    """A kernel with a kernel in it: off until the outer one is compiled; after it as it was before."""
    let_collector_rest()
    seen: list[bool] = []

    class Look(Listener):
        def on_start(self, _event: object) -> None:
            seen.append(gc.isenabled())

        def on_end(self, _event: object) -> None:
            pass

    look = Look()
    register("numba:compile", look)
    part = numba.njit(lambda x: x + 1)
    whole = numba.njit(lambda x: part(x) * 2)
    was = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        assert whole(3) == 8
        assert gc.isenabled() == on
    finally:
        unregister("numba:compile", look)
        (gc.enable if was else gc.disable)()
    assert seen == [False, False]


def test_comes_back_after_a_mistake() -> None:
    """What numba cannot compile leaves the collector as it was."""
    let_collector_rest()
    with pytest.raises(numba.TypingError):
        numba.njit(lambda x: x.nothing)(1)
    assert gc.isenabled()
