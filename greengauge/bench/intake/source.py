"""The synthetic source: a process that speaks as much MQTT as a reader needs, so that no broker is the limit.

`python -m greengauge.bench.intake.source WORKLOAD… [--to PORT]`. Without `--to` it listens, prints `{"port": …}`, and
whoever subscribes to `plant/…` is the reader; with it, it is a publisher to a real broker on that port. Orders come
as lines on standard input (`send N`, `pace RATE SECONDS`), each answered by a line of JSON; the input's end ends it.
"""

from __future__ import annotations

import json
import queue
import socket
import sys
import threading
from dataclasses import asdict
from typing import Any

from greengauge.bench.intake.feeder import Feeder
from greengauge.bench.intake.packets import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    asked,
    connect,
    filters,
    packet,
    take,
)
from greengauge.bench.intake.workload import Workload, of_words

READERS = "plant/"
WAIT_S = 60.0
IDLE_S = 0.02
IN_FLIGHT = 2_000
"""Of a publisher to a real broker."""


class Server:
    """Listens; every connection has a thread until it turns out to be the reader's."""

    def __init__(self) -> None:
        self.readers: queue.Queue[tuple[socket.socket, int, int]] = queue.Queue()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        buffer, level, most = bytearray(), 4, 65_535
        while data := _received(sock):
            buffer += data
            for one in take(buffer):
                if one.kind == CONNECT:
                    level, most = asked(one.body)
                    sock.sendall(packet(CONNACK, b"\0\0\0" if level == 5 else b"\0\0"))
                elif one.kind == SUBSCRIBE:
                    wanted = filters(one.body, level)
                    granted = one.body[:2] + (b"\0" if level == 5 else b"") + b"\1" * len(wanted)
                    sock.sendall(packet(SUBACK, granted))
                    if any(name.startswith(READERS) for name in wanted):
                        self.readers.put((sock, level, most))
                        return
                elif one.kind == PUBLISH and one.flags & 6:  # scores and status that come out
                    at = 2 + int.from_bytes(one.body[:2], "big")
                    sock.sendall(packet(PUBACK, one.body[at : at + 2]))
                elif one.kind == PINGREQ:
                    sock.sendall(packet(PINGRESP, b""))
                elif one.kind == DISCONNECT:
                    return


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1 << 16)
    except OSError:  # a reader that was killed
        return b""


def publisher(port: int, workload: Workload) -> Feeder:
    """A client of a real broker, MQTT 3.1.1."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect("greengauge-bench-source", 4))
    if sock.recv(4) != packet(CONNACK, b"\0\0"):
        raise ConnectionError("the broker refuses the source")
    return Feeder(sock, workload, 4, IN_FLIGHT)


def main(words: list[str]) -> None:
    """See above."""
    workload = of_words(words)
    feeder: Feeder | None = None
    server: Server | None = None
    if "--to" in words:
        feeder = publisher(int(words[words.index("--to") + 1]), workload)
        _say({"port": 0})
    else:
        server = Server()
        _say({"port": server.port})
    orders: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    while True:
        if server is not None and not server.readers.empty():
            feeder = _next(server, workload)
        try:
            order = orders.get(block=feeder is None, timeout=IDLE_S)
        except queue.Empty:
            feeder = _idle(feeder, to_broker=server is None)
            continue
        if order == "end":
            return
        if feeder is None:
            feeder = _next(server, workload)
        what, *numbers = order.split()
        sent = feeder.send(int(numbers[0])) if what == "send" else feeder.pace(float(numbers[0]), float(numbers[1]))
        _say(asdict(sent))


def _listen(orders: queue.Queue[str]) -> None:
    for line in sys.stdin:
        orders.put(line)
    orders.put("end")


def _next(server: Server | None, workload: Workload) -> Feeder:
    if server is None:
        raise ConnectionError("the broker hung up")
    sock, level, most = server.readers.get(timeout=WAIT_S)
    return Feeder(sock, workload, level, most)


def _idle(feeder: Feeder | None, *, to_broker: bool) -> Feeder | None:
    """Answer pings for a moment. A reader may go; a broker may not."""
    try:
        if feeder is not None:
            feeder.serve(IDLE_S)
    except OSError:
        if to_broker:
            raise
        return None
    return feeder


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
