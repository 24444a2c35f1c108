"""The proxy between us and the broker, in a thread of its own, for tests of the service as a process."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from tests.system.proxy import Proxy


class Link:
    """`with Link(port) as link`; `link.proxy` holds the switches, which any thread may set."""

    def __init__(self, target: int) -> None:
        self.proxy = Proxy(target)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)

    def __enter__(self) -> Link:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.proxy.__aenter__(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self.proxy.__aexit__(None, None, None), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection."""

        async def cut() -> None:
            self.proxy.cut()

        asyncio.run_coroutine_threadsafe(cut(), self._loop).result(10)
