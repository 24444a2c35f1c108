"""The oracle of every fault: the meters' ledger against what is stored and what is quarantined, to the last bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.system.faults.meters import NAMES, ON_LINE, Meters
from tests.system.influx import Influxd
from tests.system.running import Running, command, until

LEVELS = {0: "live", 1: "final", 2: "restated"}
Score = tuple[float | None, float, float, float]
"""Value, numerator, denominator, completeness."""


def stored(store: Influxd) -> dict[tuple[str, int], tuple[float, float]]:
    """(meter, ts) → clinker, kwh, in InfluxDB; every row is a key once or the assertion fails."""
    found: dict[tuple[str, int], tuple[float, float]] = {}
    for meter in NAMES:
        rows = store.rows(f"SELECT clinker, kwh FROM reading WHERE meter = '{meter}'")
        for row in rows:
            assert (meter, row["time"]) not in found
            found[meter, row["time"]] = row["clinker"], row["kwh"]
    return found


def count(store: Influxd) -> int:
    """Messages stored with both their readings: InfluxDB shows a point's fields one by one while it takes it."""
    rows = store.rows("SELECT count(clinker) AS clinker, count(kwh) AS kwh FROM reading")
    return min(int(rows[0].get(name, 0)) for name in ("clinker", "kwh")) if rows else 0


def quarantined(data: Path) -> list[dict[str, Any]]:
    """Everything in quarantine, as the command lists it."""
    told = command("quarantine", "list", "--data", data, "--limit", "1000000", "--json")
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def settled(running: Running, store: Influxd, meters: Meters, within: float = 60) -> None:
    """Wait until the service has stored and quarantined as much as was sent, and scored it."""
    until(lambda: count(store) >= len(meters.sent), within, running.log)
    until(lambda: running.part("quarantine").get("rows", 0) >= len(meters.bad), within, running.log)
    running.settle(within)


def nothing_lost(store: Influxd, meters: Meters, data: Path) -> str:
    """The promise: what was acknowledged is stored once, bit for bit, or quarantined once; and nothing else is there.

    Returns the sentence with the figures.
    """
    found = stored(store)
    sent = {key: tuple(map(float, texts)) for key, texts in meters.sent.items()}
    assert meters.acknowledged <= set(found), f"lost: {sorted(meters.acknowledged - set(found))[:5]}"
    assert set(found) <= set(sent), f"never sent: {sorted(set(found) - set(sent))[:5]}"
    wrong = {key: (found[key], sent[key]) for key in found if found[key] != sent[key]}
    assert not wrong, dict(list(wrong.items())[:5])
    assert count(store) == len(found)
    rejects = quarantined(data)
    assert len(rejects) == len(meters.bad)
    assert {reject["outcome"] for reject in rejects} <= {"quarantined"}
    return f"{len(meters.acknowledged)} acknowledged, {len(found)} stored, {len(rejects)} quarantined, 0 lost, 0 double"


def live_scores(store: Influxd) -> dict[tuple[str, str, str, int], Score]:
    """(line or level, degree, window, ts) → what InfluxDB holds of each closed step."""
    rows = store.rows("SELECT * FROM degree")
    return {
        (str(row.get("line", row["level"])), row["degree"], row["window"], row["time"]): (
            None if row["withheld"] else row["value"],
            row["numerator"],
            row["denominator"],
            row["completeness"],
        )
        for row in rows
        if LEVELS[row["lifecycle"]] == "final"
    }


def clean_scores(folder: Path, meters: Meters) -> dict[tuple[str, str, str, int], Score]:
    """The same of a run in which nothing happened: `greengauge replay` of the ledger."""
    readings = meters.readings_file(folder / "ledger.csv")
    told = command("replay", folder / "plant.toml", readings, "--every", "1min", "--json")
    assert told.returncode == 0, told.stderr
    scores = [json.loads(line) for line in told.stdout.splitlines()]
    return {
        (
            s["scope"].rpartition("/")[2] if s["level"] == "line" else s["level"],
            s["degree"],
            s["window"],
            s["ts"],
        ): (s["value"], s["numerator"], s["denominator"], s["completeness"])
        for s in scores
        if "degree" in s and s["lifecycle"] == "final"
    }


def scores_are_those_of_a_clean_run(store: Influxd, folder: Path, meters: Meters) -> str:
    """Every final score stored is bit for bit that of a clean run. Returns the sentence with the figure."""
    live, clean = live_scores(store), clean_scores(folder, meters)
    assert set(live) <= set(clean), sorted(set(live) - set(clean))[:5]
    wrong = {key: (live[key], clean[key]) for key in live if live[key] != clean[key]}
    assert not wrong, dict(list(wrong.items())[:5])
    touched = {line: {ts for meter, ts in meters.sent if ON_LINE[meter] == line} for line in ("k1", "k2")}
    due = {key for key in clean if key[1] in ("gd", "lcd") and key[3] in touched.get(key[0], touched["k1"])}
    assert due == set(live), (sorted(due - set(live))[:5], sorted(set(live) - due)[:5])
    return f"{len(live)} final scores bit-identical to a clean run"
