"""Waiting for a condition in an asynchronous test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], within: float = 10.0) -> None:
    """Return once `true()` is; TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - what is waited for happens in other processes, which set no Event
            await asyncio.sleep(0.005)
