"""What `/ws` and `/api/v1/stream` send: a snapshot first, then what changed, each with its sequence number.

Coalesced: at most ten messages a second, whatever changes; at least one a second, so that silence means
a lost connection. A slow reader gets fewer messages, never old ones: nothing is queued for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from greengauge.page.answers import Refusal
from greengauge.page.context import PageContext
from greengauge.page.topology import topology

LEAST_S = 0.1
"""Between two messages."""
MOST_S = 1.0
"""Without any change."""
READERS = 200


class Stream:
    """All open readers. `close` ends them."""

    def __init__(self, context: PageContext) -> None:
        self._context, self._live = context, context.live
        self._closing = asyncio.Event()
        self._readers = 0
        self._encoded: tuple[tuple[int, int, int], str] | None = None  # tabs in step share one encoding

    def close(self) -> None:
        """The service ends: every stream ends at once."""
        self._closing.set()

    async def sse(self, request: Request) -> Response:
        """Server-sent events, for scripts: `event: snapshot|change`, `id:` the sequence number."""
        del request  # the guard has looked at it
        if self._readers >= READERS:
            raise Refusal(503, f"{READERS} readers are connected", mend="close some pages")
        return StreamingResponse(
            self._events(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def ws(self, socket: WebSocket) -> None:
        """One WebSocket a tab. What a reader sends means nothing and is thrown away."""
        if self._readers >= READERS:
            await socket.close(1013, "too many readers")
            return
        await socket.accept()
        gone = asyncio.create_task(_until_gone(socket), name="page reader")
        sending = asyncio.create_task(self._send(socket), name="page writer")
        try:
            await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            if self._closing.is_set() and not gone.done():
                with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                    await socket.close(1001, "the service ends")
        finally:
            for task in (gone, sending):
                task.cancel()
            results = await asyncio.gather(gone, sending, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    async def messages(self) -> AsyncGenerator[tuple[str, int, str], None]:
        """(snapshot or change, sequence number, JSON) until the service ends."""
        self._readers += 1
        try:
            seq, text = self._snapshot()
            yield "snapshot", seq, text
            while not self._closing.is_set():
                await self._changed(seq)
                if self._closing.is_set():
                    return
                seq, text = self._change(seq)
                yield "change", seq, text
                await asyncio.sleep(LEAST_S)
        finally:
            self._readers -= 1

    # --- inside -------------------------------------------------------------------------------

    async def _changed(self, seq: int) -> None:
        """Until something changed, a second passed or the service ends."""
        waiting = [
            asyncio.create_task(self._live.wait(seq), name="page waits for a change"),
            asyncio.create_task(self._closing.wait(), name="page waits for the end"),
        ]
        try:
            await asyncio.wait(waiting, timeout=MOST_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _snapshot(self) -> tuple[int, str]:
        body = self._live.since(0, self._context.now())
        more = {"type": "snapshot", "version": self._context.version, "plant": topology(self._live.plant)}
        return body["seq"], _encode(more | body)

    def _change(self, seq: int) -> tuple[int, str]:
        now = self._context.now()
        key = (seq, self._live.seq, now // 1000)
        if self._encoded is None or self._encoded[0] != key:
            self._encoded = key, _encode({"type": "change"} | self._live.since(seq, now))
        return key[1], self._encoded[1]

    async def _events(self) -> AsyncGenerator[str, None]:
        async with contextlib.aclosing(self.messages()) as messages:
            async for kind, seq, text in messages:
                yield f"event: {kind}\nid: {seq}\ndata: {text}\n\n"

    async def _send(self, socket: WebSocket) -> None:
        async with contextlib.aclosing(self.messages()) as messages:
            async for _, _, text in messages:
                await socket.send_text(text)


async def _until_gone(socket: WebSocket) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


def _encode(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), allow_nan=False)
