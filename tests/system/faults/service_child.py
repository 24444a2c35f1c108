"""`greengauge …` that kills itself at a named point, the N-th time it gets there: FAULT_POINT="stored 3".

    written       a record's bytes are with the kernel, fdatasync has not been called
    appended      the record is durable, its PUBACKs are not sent
    acknowledged  its PUBACKs are sent
    stored        the store answered 204, the cursor stands where it was
    cursor        the same, after all that belongs to the batch: the cursor is about to move
    moved         the store cursor has moved
    snapshot      the scores' state is about to be saved

FAULT_KEEPALIVE sets the session's keep-alive, s. FAULT_NUMBER is the text of a number over which decoding
stumbles; FAULT_PUSH the number of readings after which scoring does.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from devices.readings import Readings
from devices.ruler import Ruler
from greengauge import cli, service
from greengauge.scorer import snapshots
from ingest.intake import Intaker
from ingest.log import cursors, segment
from ingest.session.session import MqttSession
from ingest.store.influx_http import InfluxHttp
from scoring.engine import Engine, LineClose

point, _, times = os.environ.get("FAULT_POINT", "").partition(" ")
left = int(times or 0)


def reached(here: str) -> None:
    """Dies here if this is the place and the time."""
    global left
    if here == point:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)


def wrap(
    owner: Any, name: str, *, before: str = "", after: str = "", when: Callable[..., bool] = lambda *_: True
) -> None:
    """The same call, with a point before it and one after it."""
    real = getattr(owner, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        told = when(*args)
        if told:
            reached(before)
        result = real(*args, **kwargs)
        if told:
            reached(after)
        return result

    setattr(owner, name, call)


wrap(segment, "_datasync", before="written")
wrap(InfluxHttp, "write", after="stored")
wrap(cursors.Cursors, "set", before="cursor", after="moved", when=lambda _self, name, _position: name == "store")
wrap(snapshots, "save", before="snapshot")
service.Intaker = partial(Intaker, reached=reached)  # type: ignore[misc, assignment] # told where it is
if "FAULT_KEEPALIVE" in os.environ:
    service.MqttSession = partial(MqttSession, keepalive=int(os.environ["FAULT_KEEPALIVE"]))  # type: ignore[misc, assignment] # short
if "FAULT_NUMBER" in os.environ:
    read = Ruler.read

    def stumbling(self: Ruler, text: str) -> tuple[int, int]:
        """A mistake of ours: `ZeroDivisionError`."""
        return (1 // 0, 0) if text == os.environ["FAULT_NUMBER"] else read(self, text)

    Ruler.read = stumbling  # type: ignore[method-assign] # the fault
if "FAULT_PUSH" in os.environ:
    push, pushed = Engine.push, 0

    def failing(self: Engine, readings: Readings, closes: Sequence[LineClose] = ()) -> None:
        """A mistake of ours: `ZeroDivisionError`."""
        global pushed
        pushed += len(readings) // (pushed < int(os.environ["FAULT_PUSH"]))
        push(self, readings, closes)

    Engine.push = failing  # type: ignore[method-assign] # the fault
cli.main()
