"""What decoding costs, beside the definition: `python -m tests.benchmarks.decode [--meters N …] [--rounds N] [--json]`.

Records as the log holds them: MQTT 5 frames at QoS 1, one object of `ts` and three numbers each, `--record` bytes a
body. Three columns, in CPU µs an object: decode, line protocol from its columns, both by the definitions. The best
round of several counts: others use the machine too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from devices.plant.model import Kind, LcdChoice, Line, Plant, Site
from ingest import kernels
from ingest.decode.definition import Decoder
from ingest.decode.twin import Twin
from ingest.line_protocol import ReadingEncoder
from ingest.lines import joined
from ingest.log.record import Entry, Record, RecordKind
from ingest.session.frames import encode
from tests.plants import channel, plant

NOW = 1_763_800_000_000
OBJECTS = 100_000
"""In every workload: what lies in the caches is the plant, not the records."""


def measured(meters: int, *, spaces: bool, items: int, record: int, rounds: int, seq: bool = False) -> dict[str, Any]:
    """CPU µs an object, of records that name every meter once or more."""
    made = plant_of(meters)
    twin, definition, encoder = Twin(made), Decoder(made), ReadingEncoder(made)
    assert kernels.wait()
    records, objects = _records(made, spaces, items, record, seq)
    decoded = [twin.decode([r]) for r in records]
    assert sum(len(d.readings) for d in decoded) == 3 * objects
    some = records[: max(1, 2000 * len(records) // objects)]
    few = objects * len(some) / len(records)
    return {
        "meters": meters,
        "items": items,
        "spaces": spaces,
        "seq": seq,
        "bytes": round(sum(len(r.entry.body) for r in records) / objects, 1),
        "decode": _best(lambda: [twin.decode([r]) for r in records], rounds) / objects,
        "lines": _best(lambda: [joined(encoder.encode(d.readings).lines) for d in decoded], rounds) / objects,
        "definition": _best(lambda: [definition.decode([r]) for r in some], 2) / few,
        "definition lines": _best(lambda: [joined(encoder.defined(d.readings).lines) for d in decoded[: len(some)]], 2)
        / few,
    }


def plant_of(meters: int) -> Plant:
    """So many meters of three channels on one line."""
    own = [channel("feed", kind=Kind.RATE), channel("coal"), channel("power")]
    made = plant({f"meter{k:06d}": own for k in range(meters)})
    line = Line(0, "k1", "acme/wuhu/pyro/k1", 0, "pyro", "cement", None, "calendar", LcdChoice(), None, 0, ())  # type: ignore[arg-type] # 0 output
    site = Site(0, "wuhu", "acme", "CN", "anhui", "Asia/Shanghai", None)
    return replace(made, sites=(site,), lines=(line,), meters=tuple(replace(m, line=0) for m in made.meters))


def _records(made: Plant, spaces: bool, items: int, size: int, seq: bool) -> tuple[list[Record], int]:
    draw, bodies, body, objects = random.Random(1), list[bytes](), bytearray(), 0
    separators = (", ", ": ") if spaces else (",", ":")
    meters = list(made.meters) * max(1, OBJECTS // (len(made.meters) * items))
    draw.shuffle(meters)
    counts = [itertools.count() for _ in made.meters]
    for number, meter in enumerate(meters):
        found = [
            {"ts": NOW + number % 1000 + k}
            | ({"seq": next(counts[meter.index])} if seq else {})
            | {"feed": round(draw.uniform(100, 999), 3), "coal": round(draw.uniform(1, 40), 4)}
            | {"power": draw.randint(1, 9999) / 4}
            for k in range(items)
        ]
        payload = json.dumps(found if items > 1 else found[0], separators=separators).encode()
        body += encode(meter.topic.encode(), payload, level=5, qos=1, mid=number % 65_535 + 1)
        objects += items
        if len(body) >= size or number + 1 == len(meters):
            bodies.append(bytes(body))
            body.clear()
    return [Record(Entry(RecordKind.FRAMES, b, NOW, 1, 5), 0, 40, 40 + len(b)) for b in bodies], objects


def _best(work: Callable[[], object], rounds: int) -> float:
    """µs of CPU."""
    times = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1e6


def main() -> None:
    """One line a workload."""
    parser = argparse.ArgumentParser(description="What decoding costs, beside the definition.")
    parser.add_argument("--meters", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--record", type=int, default=1 << 18, help="bytes of a record's body")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = []
    if not chosen.json:
        sys.stdout.write("meters  items  spaces  seq  bytes   decode   lines  | definition: decode    lines  (µs)\n")
    for meters in chosen.meters:
        for spaces, items, seq in ((True, 1, False), (False, 1, False), (True, 1, True), (True, 50, False)):
            if items > 1 and meters > 1000:
                continue
            row = measured(meters, spaces=spaces, items=items, record=chosen.record, rounds=chosen.rounds, seq=seq)
            rows.append(row)
            if not chosen.json:
                sys.stdout.write(
                    f"{meters:6}  {items:5}  {'yes' if spaces else 'no ':6}  {'yes' if seq else 'no ':3}"
                    f"  {row['bytes']:5}  {row['decode']:7.3f} {row['lines']:7.3f}  |"
                    f" {row['definition']:18.2f} {row['definition lines']:8.2f}\n"
                )
                sys.stdout.flush()
    if chosen.json:
        sys.stdout.write(json.dumps(rows) + "\n")


if __name__ == "__main__":
    main()
