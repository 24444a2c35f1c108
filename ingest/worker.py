"""One daemon thread that does blocking work for the event loop, one call at a time.

Not an executor: those are joined when the interpreter ends, so a store that stalls for thirty seconds
would hold up Ctrl-C for as long. And one thread is what the work wants anyway: one write in flight
(two at once let the older value win), one owner of an SQLite connection.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """Runs functions in its own thread, in the order they were asked for."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def call(self, function: Callable[[], T]) -> T:
        """The function's result or exception. Cancelling stops the waiting, not the work."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, failure: BaseException | None) -> None:
            if future.cancelled():
                return
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)  # type: ignore[arg-type] # None only where T allows it

        def job() -> None:
            result: T | None = None
            failure: BaseException | None = None
            try:
                result = function()
            except BaseException as problem:  # noqa: BLE001 - handed to whoever awaits it
                failure = problem
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, failure)

        self._jobs.put(job)
        return await future

    def stop(self) -> None:
        """End the thread after the jobs already asked for; does not wait."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
