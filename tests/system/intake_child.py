"""A service cut down to its intake, as a process of its own: `intake_child.py DATA BROKER [POINT N]`.

With a point it kills itself there, the N-th time it gets there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ingest.clock import Clock
from ingest.intake import Intaker
from ingest.log import DataLock, Log
from ingest.session import Broker, MqttSession, client_id


async def main(data: Path, url: str, point: str = "", times: int = 0) -> None:
    with DataLock(data):
        log = Log(data / "log", segment_bytes=1 << 20)
        session = MqttSession(Broker.parse(url), client_id(data), ["plant/#"], seen=log.received, keepalive=10)
        left = times

        def reached(here: str) -> None:
            nonlocal left
            if here == point:
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        intaker = Intaker(log, session, 1, Clock(), reached=reached)
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        task = asyncio.create_task(intaker.run(), name="intake")
        print("running", os.getpid(), flush=True)  # noqa: T201 - the test waits for it
        while not session.state.connected and not stop.is_set():  # noqa: ASYNC110 - a status, not an event
            await asyncio.sleep(0.01)
        print("connected", flush=True)  # noqa: T201 - the test waits for it
        await stop.wait()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        log.close()


asyncio.run(main(Path(sys.argv[1]), sys.argv[2], *sys.argv[3:4], *map(int, sys.argv[4:5])))
