"""From the first task to the end in order: signals, and errors that nobody waited for, told as themselves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from devices.errors import EnvironmentFailure, GreengaugeError
from greengauge import logs

ENDING_S = 15.0
"""How long an end in order may take, the scores' snapshot of a large plant included. systemd (TimeoutStopSec) and
Compose (stop_grace_period) wait for 20 s, so that it is always we who end it."""


_NOHUP = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
ENDS = (signal.SIGINT, signal.SIGTERM) if _NOHUP else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What tells us to end. A terminal that is closed too: it must not cost what a kill costs; under `nohup` nothing."""


class StartAgain(Exception):
    """The service has to begin anew, in order, with all that it keeps on disk."""


def run_until_told(main: Callable[[], Coroutine[Any, Any, None]], log_level: str) -> None:
    """Run until one of `ENDS`, then end in order. Errors a user can meet come out as themselves.

    Raises StartAgain where a task did. Impatience does no harm: a second signal changes nothing, and after `ENDING_S`
    it is over in any case.
    """
    logs.configure(log_level)

    async def guarded() -> None:
        task = asyncio.create_task(main(), name="main")
        loop = asyncio.get_running_loop()

        def tell() -> None:
            if not task.cancelling():
                task.cancel()
                loop.call_later(ENDING_S, os._exit, 130)  # a thread is stuck: the log is durable, so nothing is lost

        for number in ENDS:
            loop.add_signal_handler(number, tell)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(guarded())
    except BaseExceptionGroup as failures:
        if failures.subgroup(StartAgain) is not None:
            raise StartAgain from None
        known, bugs = failures.split((GreengaugeError, OSError))
        if bugs is not None or known is None:
            raise
        raise _told(_first(known)) from None
    except OSError as failure:
        raise _told(failure) from None
    finally:
        for number in ENDS:
            signal.signal(number, signal.SIG_IGN)  # what is left to do takes a moment and is worth it


def hear() -> None:
    """Signals do again what they do by themselves: one that is ignored would stay so in the program we become."""
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)


def _first(failures: BaseExceptionGroup[Any]) -> GreengaugeError | OSError:
    inner: GreengaugeError | OSError | BaseExceptionGroup[Any] = failures.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _told(failure: GreengaugeError | OSError) -> GreengaugeError:
    """A disk that is full or may not be written, met where nobody waits for it: the world's failure, not a bug."""
    if isinstance(failure, GreengaugeError):
        return failure
    return EnvironmentFailure(
        f"the service cannot go on: {failure.strerror or failure}",
        where=str(failure.filename or ""),
        mend="see the disk's space and rights; nothing acknowledged is lost, start again",
    )
