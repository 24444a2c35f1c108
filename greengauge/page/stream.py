"""What `/ws` and `/api/v1/stream` send: a snapshot first, then what changed, each with its sequence number.

Coalesced: at most ten messages a second, whatever changes; at least one a second, so that silence means
a lost connection. A slow reader gets fewer messages, never old ones: nothing is queued for it.

A tab may say which windows it shows, `{"windows": ["1h", …]}`: from then on it gets the scores of those only, and at
once all of what it had not asked for before. A big plant's thirty scopes over six windows are 150 KB a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from greengauge.page.answers import Refusal
from greengauge.page.context import PageContext
from greengauge.page.topology import topology

LEAST_S = 0.1
"""Between two messages."""
MOST_S = 1.0
"""Without any change."""
READERS = 200
FULL = f"{READERS} readers are connected: close some pages"
WINDOWS = 50
"""A reader names no more of them."""


@dataclass(slots=True)
class _Wish:
    """What one reader asked for."""

    windows: tuple[str, ...] | None = None  # None: all
    fresh: tuple[str, ...] = ()  # asked for since the last message
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, text: str) -> None:
        """A message from the reader. Whatever is no wish means nothing and is thrown away."""
        try:
            asked = json.loads(text)
        except (ValueError, RecursionError):
            return
        windows = asked.get("windows") if isinstance(asked, Mapping) else None
        if not isinstance(windows, list) or not all(isinstance(w, str) for w in windows[:WINDOWS]):
            return
        wanted = tuple(sorted(set(windows[:WINDOWS])))
        if self.windows is not None:
            self.fresh = tuple({*self.fresh, *wanted} - set(self.windows))
        self.windows = wanted
        self.changed.set()


class Stream:
    """All open readers. `close` ends them."""

    def __init__(self, context: PageContext) -> None:
        self._context, self._live = context, context.live
        self._closing = asyncio.Event()
        self._readers = 0
        self._encoded: dict[tuple[Any, ...], str] = {}  # tabs in step that show the same share one encoding

    def close(self) -> None:
        """The service ends: every stream ends at once."""
        self._closing.set()

    async def sse(self, request: Request) -> Response:
        """Server-sent events, for scripts: `event: snapshot|change`, `id:` the sequence number."""
        del request  # the guard has looked at it
        if self._readers >= READERS:
            raise Refusal(503, FULL, mend="close some pages")
        return _Seated(self, self._events())

    async def ws(self, socket: WebSocket) -> None:
        """One WebSocket a tab. Seats are counted before anything is awaited: a flood gets no more of them."""
        if self._readers >= READERS:
            await socket.accept()  # a reason reaches only those who were let in
            await socket.close(1013, FULL)
            return
        with self.seat():
            await self._serve(socket)

    @contextlib.contextmanager
    def seat(self) -> Iterator[None]:
        """One reader more, as long as it stays."""
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        wish = _Wish()
        gone = asyncio.create_task(_until_gone(socket, wish), name="page reader")
        sending = asyncio.create_task(self._send(socket, wish), name="page writer")
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

    async def messages(self, wish: _Wish | None = None) -> AsyncGenerator[tuple[str, int, str], None]:
        """(snapshot or change, sequence number, JSON) until the service ends."""
        wish = wish or _Wish()
        seq, text = self._snapshot()
        yield "snapshot", seq, text
        while not self._closing.is_set():
            await self._changed(seq, wish)
            if self._closing.is_set():
                return
            seq, text = self._change(seq, wish)
            yield "change", seq, text
            await asyncio.sleep(LEAST_S)

    # --- inside -------------------------------------------------------------------------------

    async def _changed(self, seq: int, wish: _Wish) -> None:
        """Until something changed or was asked for, a second passed or the service ends."""
        waiting = [
            asyncio.create_task(wish.changed.wait(), name="page waits for a wish"),
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

    def _change(self, seq: int, wish: _Wish) -> tuple[int, str]:
        now, newest = self._context.now(), self._live.seq
        windows, fresh = wish.windows, wish.fresh
        wish.fresh = ()
        wish.changed.clear()
        key = (newest, now // 1000, seq, windows, fresh)
        if key not in self._encoded:
            self._encoded = {k: v for k, v in self._encoded.items() if k[:2] == key[:2]}
            self._encoded[key] = _encode({"type": "change"} | self._live.since(seq, now, windows, fresh))
        return newest, self._encoded[key]

    async def _events(self) -> AsyncGenerator[str, None]:
        async with contextlib.aclosing(self.messages()) as messages:
            async for kind, seq, text in messages:
                yield f"event: {kind}\nid: {seq}\ndata: {text}\n\n"

    async def _send(self, socket: WebSocket, wish: _Wish) -> None:
        async with contextlib.aclosing(self.messages(wish)) as messages:
            async for _, _, text in messages:
                await socket.send_text(text)


class _Seated(StreamingResponse):
    """Server-sent events to one reader, whose seat is free again however it leaves."""

    def __init__(self, stream: Stream, events: AsyncGenerator[str, None]) -> None:
        super().__init__(
            events,
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        with self._stream.seat():
            await super().__call__(scope, receive, send)


async def _until_gone(socket: WebSocket, wish: _Wish) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        wish.take(message.get("text") or "")


def _encode(body: dict[str, object]) -> str:
    return json.dumps(body, separators=(",", ":"), allow_nan=False)
