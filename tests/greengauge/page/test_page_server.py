"""The server on real sockets: WebSocket, SSE, ports, the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from devices.errors import EnvironmentFailure
from devices.plant import load
from greengauge.page.app import build
from greengauge.page.server import PageServer
from greengauge.page.stream import READERS
from tests.greengauge.page.driver import ONE, Driver, emission, score

NOW = 1_763_800_000_000


@contextlib.asynccontextmanager
async def serving(driver: Driver) -> AsyncIterator[PageServer]:
    page = PageServer("127.0.0.1", 0)
    page.serve(build(driver.context))
    task = asyncio.create_task(page.run())
    try:
        yield page
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture
def driver(tmp_path: Path) -> AsyncIterator[Driver]:
    made = Driver(load(ONE), tmp_path)
    made.live.put_scores([score(), score(degree="gd")], [emission()], [])
    yield made
    made.close()


async def test_ws_snapshot_then_changes(driver: Driver) -> None:
    """All that is known first, with the plant; then only what changed, with the next sequence number."""
    async with serving(driver) as page, connect(f"ws://127.0.0.1:{page.port}/ws") as ws:
        first = json.loads(await ws.recv())
        assert first["type"] == "snapshot"
        assert len(first["scores"]) == 2
        assert first["plant"]["lines"]
        driver.live.put_scores([score(value=0.5), score(degree="gd", last=NOW + 5000)], [], [])
        change = json.loads(await ws.recv())
        assert change["type"] == "change"
        assert [s["value"] for s in change["scores"]] == [0.5]
        assert change["lasts"] == [["line:acme/wuhu/pyro/k1", "gd", "1h", NOW + 5000]]
        assert change["seq"] > first["seq"]


async def test_ws_coalesces_and_never_falls_silent(driver: Driver) -> None:
    """A hundred changes in half a second are at most ten messages (a busy machine: ten a second); silence lasts a
    second at most.
    """
    async with serving(driver) as page, connect(f"ws://127.0.0.1:{page.port}/ws") as ws:
        await ws.recv()
        got: list[dict[str, object]] = []

        async def read() -> None:
            while True:
                got.append(json.loads(await ws.recv()))

        reading = asyncio.create_task(read())
        begun = time.monotonic()
        for k in range(100):
            driver.live.put_scores([score(value=k / 100)], [], [])
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.2)
        assert 2 <= len(got) <= 10 * max(1.0, time.monotonic() - begun)
        assert got[-1]["scores"][0]["value"] == 0.99  # type: ignore[index]
        so_far = len(got)
        await asyncio.sleep(1.3)
        assert len(got) > so_far
        reading.cancel()


async def test_a_tab_gets_the_windows_it_asks_for(driver: Driver) -> None:
    """After `{"windows": [...]}` only those; what is asked for later comes at once, though it changed before."""
    driver.live.put_scores([score(window=w) for w in ("15min", "1h", "24h")], [], [])
    async with serving(driver) as page, connect(f"ws://127.0.0.1:{page.port}/ws") as ws:
        assert {s["window"] for s in json.loads(await ws.recv())["scores"]} == {"15min", "1h", "24h"}
        await ws.send('{"windows": ["1h"]}')
        await ws.send("no wish")
        await ws.recv()
        driver.live.put_scores([score(window=w, value=0.25) for w in ("15min", "1h", "24h")], [emission(value=1.0)], [])
        change = await _until_scores(ws)
        assert [s["window"] for s in change["scores"]] == ["1h"]
        assert len(change["emissions"]) == 1
        driver.live.put_scores([score(window=w, value=0.25, last=NOW + 7) for w in ("15min", "1h")], [], [])
        told = json.loads(await ws.recv())
        while not told["lasts"]:
            told = json.loads(await ws.recv())
        assert [last[2] for last in told["lasts"]] == ["1h"]
        await ws.send('{"windows": ["1h", "24h"]}')
        change = await _until_scores(ws)
        assert [(s["window"], s["value"]) for s in change["scores"]] == [("24h", 0.25)]


async def _until_scores(ws: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while True:
            message: dict[str, Any] = json.loads(await ws.recv())
            if message["scores"]:
                return message


async def test_a_flood_of_readers_gets_no_more_seats(driver: Driver) -> None:
    """All at once: exactly so many are served, the others are told why; a seat that is left is free again."""
    async with serving(driver) as page, contextlib.AsyncExitStack() as stack:
        url = f"ws://127.0.0.1:{page.port}/ws"
        sockets = await asyncio.gather(*(connect(url) for _ in range(READERS + 40)))
        for ws in sockets:
            stack.push_async_callback(ws.close)
        first = await asyncio.gather(*(ws.recv() for ws in sockets), return_exceptions=True)
        closed = [told for told in first if isinstance(told, ConnectionClosed)]
        assert len(closed) == 40
        assert {told.rcvd.code for told in closed if told.rcvd} == {1013}
        assert all("close some pages" in told.rcvd.reason for told in closed if told.rcvd)
        async with httpx.AsyncClient() as client:
            refused = await client.get(f"{page.url}/api/v1/stream")
            assert refused.status_code == 503
        served = next(ws for ws, told in zip(sockets, first, strict=True) if isinstance(told, str))
        await served.close()
        await asyncio.sleep(0.3)
        async with connect(url) as ws:
            assert json.loads(await ws.recv())["type"] == "snapshot"


async def test_ws_refuses_another_sites_page(driver: Driver) -> None:
    """A foreign Origin is refused in the handshake; our own is let in."""
    async with serving(driver) as page:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{page.port}/ws", origin="http://evil.example")
        assert refused.value.response.status_code == 403
        async with connect(f"ws://127.0.0.1:{page.port}/ws", origin=page.url) as ws:
            assert json.loads(await ws.recv())["type"] == "snapshot"


async def test_sse(driver: Driver) -> None:
    """`/api/v1/stream` as event-stream: a snapshot with its id."""
    async with (
        serving(driver) as page,
        httpx.AsyncClient() as client,
        client.stream("GET", f"{page.url}/api/v1/stream") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: snapshot"
        assert (await anext(lines)).startswith("id: ")
        assert json.loads((await anext(lines)).removeprefix("data: "))["scores"]


async def test_it_ends_within_a_second_with_readers(driver: Driver) -> None:
    """Open WebSocket, open SSE, idle keep-alive: none holds the end up."""
    page = PageServer("127.0.0.1", 0)
    page.serve(build(driver.context))
    task = asyncio.create_task(page.run())
    async with httpx.AsyncClient() as client, connect(f"ws://127.0.0.1:{page.port}/ws") as ws:
        await client.get(f"{page.url}/healthz")
        await ws.recv()
        async with client.stream("GET", f"{page.url}/api/v1/stream") as answer:
            await anext(answer.aiter_lines())
            begun = time.monotonic()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert time.monotonic() - begun < 1.0
            async for _ in ws:  # what was on its way, then the end
                pass
            assert ws.close_code in (1001, 1012)
    assert not [t for t in asyncio.all_tasks() if t.get_name().startswith("page ")]


def test_a_busy_port_means_the_next() -> None:
    """And the socket listens from the beginning."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        page = PageServer("127.0.0.1", port)
        assert port < page.port <= port + 100
        assert page.url == f"http://127.0.0.1:{page.port}"
        with socket.create_connection(("127.0.0.1", page.port), timeout=1):
            pass
        page._socket.close()  # nothing runs that would


def test_a_host_that_is_not_ours_is_told() -> None:
    """No traceback: cause, where and mend."""
    with pytest.raises(EnvironmentFailure) as told:
        PageServer("203.0.113.1", 8420)
    assert told.value.mend
