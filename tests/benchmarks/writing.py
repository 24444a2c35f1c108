"""What writing costs: the log into a real InfluxDB, `python -m tests.benchmarks.writing [--meters N …] [--profile]`.

A backlog of MQTT 5 frames at QoS 1, one object of `ts` and three numbers each, in records of `--record` bytes; CPU µs a
message of this process (user + system, influxd has its own), from the log's bytes to InfluxDB's 204. `influxd` on PATH.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ingest import kernels
from ingest.decode.twin import Twin
from ingest.log.log import Log
from ingest.log.record import Entry, RecordKind
from ingest.session.frames import encode
from ingest.store.base import BadPoint
from ingest.store.influx import InfluxStore
from ingest.winners import Winners
from ingest.worker import Worker
from ingest.writer import StoreWriter, series_of
from tests.benchmarks.decode import plant_of

T = TypeVar("T")
NOW = 1_763_800_000_000
TOKEN = "a-token-for-this-run-only"  # noqa: S105 - of a server that lives for this run


class NoStore:
    """Takes everything: what is left is our own work."""

    name = "nothing"
    writes_at_once = 1

    async def write(self, lines: Any) -> list[BadPoint]:  # noqa: ARG002 - the contract's
        """Nothing is bad."""
        return []

    async def look_up(self, spans: Any) -> list[dict[int, float | str]]:
        """Nothing there."""
        return [{} for _ in spans]

    async def close(self) -> None:
        """Nothing open."""


class Cursor:
    """In memory: what a cursor's fsync costs is the disk's affair."""

    at = 0

    def get(self) -> int:
        """Where it stands."""
        return self.at

    def set(self, position: int) -> None:
        """Move it."""
        self.at = position


@contextmanager
def influxd() -> Iterator[str]:
    """A fresh InfluxDB's address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        url = f"http://127.0.0.1:{port}"
        command = [
            shutil.which("influxd") or "influxd",
            "--bolt-path",
            f"{folder}/bolt",
            "--engine-path",
            f"{folder}/e",
        ]
        command += [
            "--sqlite-path",
            f"{folder}/sqlite",
            "--http-bind-address",
            f"127.0.0.1:{port}",
            "--reporting-disabled",
        ]
        server = subprocess.Popen([*command, "--log-level", "error"], stdout=subprocess.DEVNULL)
        try:
            asked = {"username": "u", "password": "password", "org": "o", "bucket": "b", "token": TOKEN}
            request = urllib.request.Request(f"{url}/api/v2/setup", json.dumps(asked).encode())  # noqa: S310 - ours
            for _ in range(300):
                try:
                    urllib.request.urlopen(request).close()  # noqa: S310 - our own server
                    break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            server.kill()
            server.wait()


def backlog(log: Log, meters: list[str], messages: int, size: int) -> None:
    """Fill the log: all meters in a new order each round, a second apart."""
    draw, body, mid = random.Random(1), bytearray(), 0
    for number in range(messages):
        if number % len(meters) == 0:
            draw.shuffle(meters)
        values = {"feed": round(draw.uniform(100, 999), 3), "coal": round(draw.uniform(1, 40), 4)}
        payload = json.dumps({"ts": NOW + number // len(meters) * 1000} | values | {"power": draw.randint(1, 9999) / 4})
        mid = mid % 65_535 + 1
        body += encode(meters[number % len(meters)].encode(), payload.encode(), level=5, qos=1, mid=mid)
        if len(body) >= size or number + 1 == messages:
            log.append([Entry(RecordKind.FRAMES, bytes(body), NOW + messages, 1, 5)])
            body.clear()


async def written(meters: int, messages: int, size: int, store: Any, *, profile: bool) -> dict[str, Any]:
    """One run: all of a backlog into the store."""
    made = plant_of(meters)
    with tempfile.TemporaryDirectory() as name:
        log = Log(Path(name) / "log")
        backlog(log, [meter.topic for meter in made.meters], messages, size)
        twin, cursor, done = Twin(made), Cursor(), asyncio.Event()
        assert kernels.wait()
        spent: dict[str, float] = {}

        def timed(what: str, work: Callable[..., T]) -> Callable[..., T]:
            def run(*given: Any, **named: Any) -> T:
                began = time.thread_time()
                try:
                    return work(*given, **named)
                finally:
                    spent[what] = spent.get(what, 0.0) + time.thread_time() - began

            return run

        async def more(position: int) -> None:
            done.set()
            await asyncio.Event().wait()

        async def refuse(rejects: Any) -> None:
            raise AssertionError(rejects)

        winners = Winners(Path(name) / "winners.db", made, series_of(made))
        writer = StoreWriter(
            read=timed("read", log.read), more=more, decode=timed("decode", twin.decode), plant=made, store=store,
            cursor=cursor, winners=winners, quarantine=refuse,
        )  # fmt: skip
        winners.plan = timed("plan", winners.plan)  # type: ignore[method-assign] # measured
        winners.checkpoint = timed("checkpoint", winners.checkpoint)  # type: ignore[method-assign] # measured
        winners.choose = timed("choose", winners.choose)  # type: ignore[method-assign] # measured
        writer._encoder.encode = timed("lines", writer._encoder.encode)  # type: ignore[method-assign] # measured
        if isinstance(store, InfluxStore):
            store._write = timed("post", store._write)  # type: ignore[method-assign] # measured
        twin.decode(log.read(0, 1))
        assert await store.write([b"warm up=1 0"]) == []  # connects, and imports its client
        spent.clear()
        profiler = cProfile.Profile()
        if profile:
            worker: Worker = writer._worker
            await worker.call(profiler.enable)
        cpu, wall = time.process_time(), time.perf_counter()
        task = asyncio.create_task(writer.run())
        waiting = asyncio.create_task(done.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if profile:
            await writer._worker.call(profiler.disable)
            profiler.print_stats("tottime")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert writer.counts.stored == 3 * messages, writer.counts
        log.close()
    stages = {what: round(seconds / messages * 1e6, 3) for what, seconds in sorted(spent.items())}
    return {
        "meters": meters, "store": store.name, "us": round(cpu / messages * 1e6, 3),
        "messages_s": round(messages / wall), "stages": stages,
    }  # fmt: skip


def main() -> None:
    """A line a plant and store."""
    parser = argparse.ArgumentParser(description="What writing costs, from the log to InfluxDB's 204.")
    parser.add_argument("--meters", type=int, nargs="+", default=[1000])
    parser.add_argument("--messages", type=int, default=300_000)
    parser.add_argument("--record", type=int, default=1 << 18, help="bytes of a record's body")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--no-influxd", action="store_true")
    chosen = parser.parse_args()

    def one(meters: int, store: Callable[[], Any]) -> None:
        async def live() -> None:
            made = store()
            row = await written(meters, chosen.messages, chosen.record, made, profile=chosen.profile)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
            await made.close()

        asyncio.run(live())

    for meters in chosen.meters:
        one(meters, NoStore)
        if not chosen.no_influxd:
            with influxd() as url:
                one(meters, lambda url=url: InfluxStore(url, TOKEN, "o", "b"))  # type: ignore[misc] # default binds it


if __name__ == "__main__":
    main()
