"""A proxy between us and InfluxDB that answers badly, resets, stalls, or passes a write on and loses its 204."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

WRITE = "/api/v2/write"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy says instead of the store."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    words: str = "as the test wants it"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One write request."""

    at: float  # time.monotonic()
    body: bytes
    mood: str
    status: int  # 0: no answer was given


Mood = Answer | str
"""An answer, or "pass", "reset", "stall", "lose" (passed on, its answer lost)."""


class StoreProxy:
    """`with StoreProxy(port) as proxy`; use `proxy.url`. `mood(request)` decides about each write; reads pass."""

    def __init__(self, target: int) -> None:
        self.attempts: list[Attempt] = []
        self.mood: Callable[[bytes], Mood] = lambda _body: "pass"
        self.stall_s = 30.0
        self.ending = threading.Event()
        self._server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self, "to": target})
        )
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="store proxy")

    def __enter__(self) -> StoreProxy:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def since(self, began: float) -> list[Attempt]:
        """Writes from a moment on."""
        return [attempt for attempt in self.attempts if attempt.at >= began]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: StoreProxy
    to: int

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return  # the client gave up, which is what some tests are about

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.startswith(WRITE):
            self._answer(*self._pass_on(body))
            return
        began, mood = time.monotonic(), self.proxy.mood(body)
        status = 0
        if isinstance(mood, Answer):
            status = mood.status
            self._note(began, body, "answer", status)
            self._answer(status, mood.headers, b'{"code": "x", "message": "%b"}' % mood.words.encode())
        elif mood == "pass":
            try:
                status, headers, said = self._pass_on(body)
            except OSError:
                self._note(began, body, mood, 0)
                self._reset()
                return
            self._note(began, body, mood, status)
            self._answer(status, headers, said)
        else:
            self._note(began, body, mood, 0)
            if mood == "lose":
                assert self._pass_on(body)[0] == 204
            elif mood == "stall":
                self.proxy.ending.wait(self.proxy.stall_s)
            self._reset()

    def _note(self, began: float, body: bytes, mood: str, status: int) -> None:
        self.proxy.attempts.append(Attempt(began, body, mood, status))

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """The real store's answer; 503 where there is none."""
        link = http.client.HTTPConnection("127.0.0.1", self.to, timeout=30)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in ("host", "connection")}
        try:
            link.request(self.command, self.path, body, headers)
            answer = link.getresponse()
            kept = {
                n: t for n, t in answer.getheaders() if n.lower() in ("content-type", "content-encoding", "retry-after")
            }
            return answer.status, kept, answer.read()
        finally:
            link.close()

    def _answer(self, status: int, headers: dict[str, str], said: bytes) -> None:
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
