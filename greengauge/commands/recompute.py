"""`greengauge recompute`: scores of a stretch of time told anew, by the service that runs or, without one, here."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devices import times
from devices.errors import ConfigurationError
from devices.plant import load
from devices.plant.model import Plant
from greengauge.commands.given import given
from greengauge.history import History
from greengauge.history.jobs import Job, look
from greengauge.parts import lock_of, log_now, log_of, store_of
from greengauge.past import past_of
from greengauge.remembered import folder_of, remembered
from greengauge.restating.recomputing import Recomputing
from greengauge.restating.requests import Request
from greengauge.scorer import snapshots
from greengauge.settings import Settings
from greengauge.terminal import Progress, say_line
from greengauge.versions import Decoders
from ingest.clock_shifts import ClockShifts
from ingest.log.record import Entry, RecordKind
from scoring.engine import Engine
from scoring.stacks import Stacks

INTERRUPTED = 130
REASON = "the registry changed"
SLICE_S = 0.2
LOOK_S = 0.25


def run(start: str, end: str, settings: Settings, *, registry: Path | None, reason: str | None, as_json: bool) -> int:
    """Recompute (start, end] and wait for it; the exit code."""
    first, last = given("--from", start, times.parse), given("--to", end, times.parse)
    if first >= last:
        raise ConfigurationError("the stretch is empty", where=f"--from {start} --to {end}", mend="give --from < --to")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C ends in order
    request = Request.new(first, last, f"recomputed: {reason or REASON}")
    data = settings.data
    known = remembered(data)
    plant = load(registry or known.source)
    began, progress = time.monotonic(), Progress(sys.stderr)
    try:
        lock = lock_of(data)
        if lock is None:
            if known.version != plant.version:
                raise ConfigurationError(
                    "the service that runs here has another version of the registry",
                    where=str(registry or known.source),
                    mend="restart the service first, then recompute",
                )
            done = _by_service(data, request, progress)
        else:
            with lock:
                done = _here(settings, plant, registry or known.source, request, progress)
    except KeyboardInterrupt:
        progress.clear()
        sys.stderr.write("interrupted: give the same command again, and it goes on where it is\n")
        return INTERRUPTED
    progress.clear()
    took = round(time.monotonic() - began, 1)
    if as_json:
        told = {"from": first, "to": last, "revised": done.revised, "reason": done.reason, "seconds": took}
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        say_line(f"{done.revised:,} scores and averages have a new revision ({took} s)")
    return 0


def _same(jobs: list[Job], request: Request) -> Job | None:
    """An unfinished job for the same: the one to go on with."""
    return next((j for j in jobs if (j.start, j.end, j.done) == (request.start, request.end, False)), None)


def _by_service(data: Path, request: Request, progress: Progress) -> Job:
    known = _same(look(data / "history.db"), request)
    if known is None:
        request.put(data)
    key = request.id if known is None else known.key
    while True:
        job = next((j for j in look(data / "history.db") if j.key == key), None)
        if job is not None and job.done:
            return job
        _show(progress, job)
        time.sleep(LOOK_S)


def _here(settings: Settings, plant: Plant, source: Path, request: Request, progress: Progress) -> Job:
    """Without a service: on the data folder itself, whose lock is held."""
    data = settings.data
    log = log_of(settings)
    history = History(data / "history.db")
    store = store_of(settings)
    try:
        job = _same(history.jobs(), request)
        if job is None:  # in the log too, so that a replay repeats it
            log.append([Entry(RecordKind.COMMAND, request.command(), log_now(log), plant.version, 0)])
            job = Job(request.id, request.start, request.end, request.reason, plant.version)
        with _loop() as loop:
            shifts = ClockShifts(data / "clock-shifts.json")
            past = past_of(plant, log, shifts, Decoders(plant, folder_of(data), source), store, loop)
            work = Recomputing(plant, history, past)
            known = _known(plant, data)
            work.ask(job)
            key = job.key
            while True:
                worked = work.step(log.received, SLICE_S, known)
                now = next(j for j in history.all_jobs() if j.key == key)
                if now.done:
                    return now
                _show(progress, now, work.trouble)
                if not worked:
                    time.sleep(SLICE_S)
    finally:
        asyncio.run(store.close())
        history.close()
        log.close()


def _known(plant: Plant, data: Path) -> Stacks | None:
    """The stacks' days as the service last saved them; None where there are none of this plant."""
    kept = snapshots.load(data / snapshots.NAME)
    try:
        return None if kept is None else Engine.restore(plant, kept.state).stacks
    except ValueError:
        return None


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own, for the store."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="store queries", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _show(progress: Progress, job: Job | None, trouble: str = "") -> None:
    share = 0 if job is None else int(1000 * job.share)
    revised = 0 if job is None else job.revised
    progress.show("recompute", trouble or f"{revised:,} new revisions", share, 1000)
