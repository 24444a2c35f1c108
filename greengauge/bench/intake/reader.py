"""The bare socket reader: takes what comes, acknowledges it, and keeps nothing. What a broker can give at most.

`python -m greengauge.bench.intake.reader PORT LEVEL`: prints `{"ready": true}` when subscribed, then a line of JSON
`{"messages", "wall_s", "cpu_s"}` for each line `until N` of its input, once N messages in all have come.
"""

from __future__ import annotations

import json
import socket
import sys
import time

import numpy as np

from greengauge.bench.intake.packets import PUBLISH, connect, subscribe

STEP = 1 << 20


def main(words: list[str]) -> None:
    """See above."""
    port, level = int(words[0]), int(words[1])
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(connect("greengauge-bench-reader", level, keepalive=0))
    sock.recv(64)
    sock.sendall(subscribe("plant/#", level))
    sock.recv(64)
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    count, rest = 0, b""
    for order in sys.stdin:
        until, before, began, cpu = int(order.split()[1]), count, 0.0, 0.0
        while count < until:
            data = sock.recv(STEP)
            if not began:
                began, cpu = time.perf_counter(), time.process_time()
            if not data:
                raise ConnectionError("the broker hung up")
            ids, rest = _ids(rest + data)
            out = np.empty((len(ids), 4), np.uint8)
            out[:, 0], out[:, 1], out[:, 2], out[:, 3] = 0x40, 2, ids >> 8, ids & 255
            sock.sendall(out.tobytes())
            count += len(ids)
        told = {
            "messages": count - before,
            "wall_s": time.perf_counter() - began,
            "cpu_s": time.process_time() - cpu,
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _ids(data: bytes) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], bytes]:
    """Packet ids of the whole frames, and what is left. Frames and topics of a workload are of one length."""
    if len(data) < 8:
        return np.empty(0, np.int64), data
    size, at = 0, 1
    while True:
        size |= (data[at] & 127) << 7 * (at - 1)
        at += 1
        if data[at - 1] < 128:
            break
    length, place = size + at, at + 2 + int.from_bytes(data[at : at + 2], "big")
    whole = len(data) // length * length
    rows = np.frombuffer(data, np.uint8, whole).reshape(-1, length)
    if whole and not (rows[:, 0] >> 4 == PUBLISH).all():
        raise ValueError("the broker sends something that is no reading")
    return rows[:, place].astype(np.int64) << 8 | rows[:, place + 1], data[whole:]


if __name__ == "__main__":
    main(sys.argv[1:])
