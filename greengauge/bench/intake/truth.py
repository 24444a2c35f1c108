"""Whether what a stage holds is what was sent, derived from the workload alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from greengauge.bench.intake.service import ServiceProcess
from greengauge.bench.intake.workload import Workload
from ingest.log import Log
from ingest.log.record import RecordKind

READ = 8 << 20
SAMPLE = 20
"""Meters whose sums are compared, if nothing else is said."""


def log_holds(folder: Path, workload: Workload, messages: int, level: int = 5) -> bool:
    """Whether the log holds the frames that were sent, byte for byte, in order. The service must have ended."""
    log = Log(folder)
    try:
        position, first, rest = log.first, 0, b""
        size = workload.frames(0, 1, level).shape[1]
        while records := log.read(position, READ):
            position = records[-1].end
            rest += b"".join(r.entry.body for r in records if r.entry.kind is RecordKind.FRAMES)
            count = len(rest) // size
            if first + count > messages or workload.frames(first, count, level).tobytes() != rest[: count * size]:
                return False
            first, rest = first + count, rest[count * size :]
    finally:
        log.close()
    return first == messages and not rest


def log_holds_count(folder: Path, size: int) -> bool:
    """Whether the log holds so many bytes of frames: where their times are the clock's, only that can be said."""
    log, found = Log(folder), 0
    try:
        position = log.first
        while records := log.read(position, READ):
            position = records[-1].end
            found += sum(len(r.entry.body) for r in records if r.entry.kind is RecordKind.FRAMES)
    finally:
        log.close()
    return found == size


def sums_hold(run: ServiceProcess, workload: Workload, messages: int, sample: int = SAMPLE) -> bool:
    """Whether a counter's exact sum over a day is its last reading less its first, for meters here and there."""
    meters = min(workload.meters, messages)
    for meter in range(0, meters, max(1, meters // sample)):
        numbers = np.arange(meter, messages, workload.meters, dtype=np.int64)
        last = workload.values(numbers[-1:], workload.objects - 1)["kwh"][0]
        wanted = Fraction(int(last - workload.values(numbers[:1])["kwh"][0]), 100)
        (found,) = run.get(f"/api/v1/sums?meter={workload.meter(meter)}&channel=kwh&window=24h")["sums"]
        if found["sum"] is None or Fraction(found["sum"]) != wanted:
            return False
    return True
