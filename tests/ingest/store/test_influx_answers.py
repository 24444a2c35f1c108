"""Each answer of an InfluxDB, and of things that are none, as the writer must see it; a small server plays them."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest.store import influx_http
from ingest.store.base import StoreDown
from ingest.store.influx import InfluxStore
from ingest.store.influx_http import InfluxHttp
from ingest.store.salvage import settle

LINES = [b"m a=%d %d" % (i, i) for i in range(8)]
Play = Callable[["Handler", bytes], tuple[int, dict[str, str], bytes] | None]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.play(self, body)  # type: ignore[attr-defined]
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        status, headers, said = answer
        self.send_response(status)
        for name, v in headers.items():
            self.send_header(name, v)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self) -> None:
        self.send_error(404)  # what can be found out elsewhere is not the matter here

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the client gave up, which is what some tests are about

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    it = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=it.serve_forever, args=(0.01,), name="playing an InfluxDB", daemon=True).start()
    yield it
    it.shutdown()
    it.server_close()


def store(server: ThreadingHTTPServer, play: Play) -> InfluxStore:
    server.play = play  # type: ignore[attr-defined]
    return InfluxStore(f"http://127.0.0.1:{server.server_address[1]}", "t", "o", "b")


def said(status: int, message: str = "words", **headers: str) -> Play:
    body = json.dumps({"code": "x", "message": message}).encode()
    return lambda _, __: (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        (401, True),
        (403, True),
        (404, True),
        (429, False),
        (500, False),
        (502, False),
        (503, False),
        (200, True),
        (302, False),
    ],
)
async def test_answers_that_mean_not_now(server: ThreadingHTTPServer, status: int, standing: bool) -> None:
    """Each is `StoreDown` with the store's words; those that a person must mend are standing. 200 is no InfluxDB."""
    it = store(server, said(status))
    with pytest.raises(StoreDown, match=f"answered {status}") as down:
        await it.write(LINES)
    assert down.value.standing is standing
    assert status == 200 or "words" in down.value.cause
    await it.close()


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("7", 7, 7),
        ("0.5", 0.5, 0.5),
        (format_datetime(datetime.now(UTC) + timedelta(hours=1)), 3000, 3600),
        ("soon", 0, 0),
    ],
    ids=["seconds", "parts of one", "a date", "nonsense"],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(server: ThreadingHTTPServer, status: int, text: str, least: float, most: float) -> None:
    """Seconds or a date; nonsense is no wait."""
    it = store(server, said(status, Retry_After=text))
    with pytest.raises(StoreDown) as down:
        await it.write(LINES)
    assert least <= down.value.retry_after <= most
    await it.close()


async def test_a_reset_is_down(server: ThreadingHTTPServer) -> None:
    """The connection ends without an answer."""
    it = store(server, lambda _, __: None)
    with pytest.raises(StoreDown, match="cannot be reached") as down:
        await it.write(LINES)
    assert not down.value.standing
    await it.close()


async def test_a_stall_is_down(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer in time."""
    monkeypatch.setattr(influx_http, "ANSWER_MS", 200)
    gate = threading.Event()
    it = store(server, lambda _, __: (gate.wait(5), (204, {}, b""))[1])
    with pytest.raises(StoreDown, match="timed out"):
        await it.write(LINES)
    gate.set()
    await it.close()


async def test_too_large_is_split(server: ThreadingHTTPServer) -> None:
    """413: halves, until they fit; a line too large alone is refused."""
    taken: list[bytes] = []

    def play(_: Handler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if len(body) > 30:
            return 413, {}, b"too large"
        taken.extend(body.split(b"\n"))
        return 204, {}, b""

    it = store(server, play)
    big = b'm s="%b" 9' % (b"x" * 40)
    bad = await it.write([*LINES, big])
    assert taken == LINES
    assert [(point.line, point.field) for point in bad] == [(8, "s")]
    await it.close()


async def test_it_is_asked_properly(server: ThreadingHTTPServer) -> None:
    """The token in the header, ms precision, org and bucket, plain bytes on loopback."""
    seen: list[tuple[str, str | None, str | None, bytes]] = []

    def play(handler: Handler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        seen.append((handler.path, handler.headers["Authorization"], handler.headers["Content-Encoding"], body))
        return 204, {}, b""

    it = store(server, play)
    assert await it.write(LINES) == []
    ((path, token, encoding, body),) = seen
    assert path == "/api/v2/write?org=o&bucket=b&precision=ms"
    assert (token, encoding, body) == ("Token t", None, b"\n".join(LINES))
    await it.close()


def test_elsewhere_it_is_compressed(server: ThreadingHTTPServer) -> None:
    """Compression saves the network between machines; on loopback it only costs."""
    seen: list[bytes] = []

    def play(handler: Handler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        assert handler.headers["Content-Encoding"] == "gzip"
        seen.append(gzip.decompress(body))
        return 204, {}, b""

    server.play = play  # type: ignore[attr-defined]
    http = InfluxHttp(f"http://127.0.0.1:{server.server_address[1]}", "t")
    assert http._compress is False
    assert InfluxHttp("https://influx.plant.example", "t")._compress is True
    http._compress = True
    http.write("o", "b", b"m a=1 1")
    http.close()
    assert seen == [b"m a=1 1"]


async def test_something_else_than_an_influxdb(server: ThreadingHTTPServer) -> None:
    """A web page behind /query is said, not parsed."""
    it = store(server, lambda _, __: (200, {}, b"<html>"))
    it._database = "b"
    with pytest.raises(StoreDown, match="does not answer like an InfluxDB"):
        await it._reading.call(lambda: it._ask(["SELECT 1"]))
    await it.close()


def test_the_token_is_in_no_message() -> None:
    """Secrets stay out of logs."""
    http = InfluxHttp("http://127.0.0.1:9", "very-secret")
    with pytest.raises(StoreDown) as down:
        http.write("o", "b", b"m a=1 1")
    assert "very-secret" not in repr(down.value)
    http.close()


def test_the_store_going_down_halfway_is_heard() -> None:
    """While bad points are hunted the store may vanish: nothing is reported as bad, all is written again later."""

    def post(body: bytes) -> None:
        raise StoreDown("away")

    with pytest.raises(StoreDown):
        settle(LINES, post, {("m", "b"): "words"}, max_bytes=1 << 20)
