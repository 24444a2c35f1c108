"""`greengauge verify`: the ledger of a data folder, made from its log and its store."""

from __future__ import annotations

import json
import sys
from typing import Any

from devices import times
from devices.errors import ConfigurationError
from devices.foreign import brief
from greengauge.commands.given import given
from greengauge.parts import store_of
from greengauge.settings import Settings
from greengauge.terminal import Progress
from greengauge.verifying import Verified, Verifying, run_beside
from ingest.ledger import ANOMALIES, COVERED

NAMED = 10
"""Topics and values that are printed for people; `--json` has more."""


def run(start: str | None, end: str | None, settings: Settings, *, minutes: bool, as_json: bool) -> int:
    """Verify; exit code 1 where something received is not covered or log was lost."""
    first = None if start is None else given("--from", start, times.parse)
    last = None if end is None else given("--to", end, times.parse)
    if first is not None and last is not None and first >= last:
        raise ConfigurationError("the stretch is empty", where=f"--from {start} --to {end}", mend="give --from < --to")
    progress = Progress(sys.stderr)
    if not (settings.data / "log").is_dir():  # before a store is made there
        raise ConfigurationError(
            "there is no log here", where=str(settings.data), mend="name the service's data folder with --data"
        )
    store = store_of(settings)

    def look(call: Any) -> tuple[Verified, Verifying]:
        it = Verifying(settings.data, store, call)
        try:
            return it.run(first, last, lambda done, of: progress.show("verify", "log read", done, max(1, of))), it
        finally:
            it.close()

    found, it = run_beside(store, look)
    progress.clear()
    told = to_json(found, it, minutes=minutes)
    sys.stdout.write((json.dumps(told, ensure_ascii=False) if as_json else text(told)) + "\n")
    return 0 if found.good else 1


def to_json(found: Verified, it: Verifying, *, minutes: bool) -> dict[str, Any]:
    """The object of `verify --json` (docs/reliability.md)."""
    total, plant = found.ledger.total(), it.plant
    chosen = found.ledger.minutes if minutes else found.ledger.anomalies()
    kinds = ("received", *COVERED, *ANOMALIES)
    examples = [
        {
            "meter": plant.meters[plant.channels[e.channel].meter].name,
            "channel": plant.channels[e.channel].name,
            "ts": e.ts,
            "value": e.value,
            "held": e.held,
            "position": e.position,
        }
        for e in found.ledger.examples
    ]
    return {
        "good": found.good,
        "from": found.start or it.log.began(),
        "to": found.end if found.end < 1 << 61 else None,
        **{kind: total[kind] for kind in kinds},
        "undecodable": dict(found.ledger.undecodable.most_common()),
        "minutes": [{"ts": ts, **{kind: chosen[ts][kind] for kind in kinds}} for ts in sorted(chosen)],
        "examples": examples,
        "damages": [
            {"segment": d.segment, "start": d.start, "end": d.end, "kind": d.kind, "text": str(d)}
            for d in found.damages
        ],
        "losses": [
            {"start": loss.start, "end": loss.end, "cause": loss.cause, "missing": missing}
            for loss, missing in found.losses
        ],
        "sequence_gaps": found.sequence_gaps,
        **{name: found.marks[name] for name in ("unguaranteed", "retained", "redelivered")},
        "quarantine_forgot": found.forgotten,
    }


def text(told: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{told['received']:>14,}  values received"]
    lines += [f"{told[kind]:>14,}  {kind if kind != 'pending' else 'awaiting approval'}" for kind in COVERED]
    lines += [f"{told[kind]:>14,}  {kind.upper()}" for kind in ANOMALIES if told[kind]]
    if told["undecodable"]:
        lines.append(f"{sum(told['undecodable'].values()):>14,}  frames in which no value could be counted:")
        lines += [f"{count:>18,}  {brief(topic)}" for topic, count in list(told["undecodable"].items())[:NAMED]]
    for e in told["examples"][:NAMED]:
        held = "nothing" if e["held"] is None else e["held"]
        where = f"{e['meter']}.{e['channel']} at {times.format(e['ts'])}"
        lines.append(f"  {where}: received {e['value']} (position {e['position']}), the store holds {held}")
    for m in told["minutes"][:NAMED] if not told["good"] else ():
        lines.append(f"  minute {times.format(m['ts'])}: {m['missing']} missing, {m['differing']} differing")
    lines += [f"  log damaged: {d['text']}" for d in told["damages"]]
    for loss in told["losses"]:
        since = times.format(loss["start"]) if loss["start"] else "the beginning"
        by = "".join(f", {count} of {meter}" for meter, count in list(loss["missing"].items())[:NAMED])
        lines.append(f"  possibly lost at the broker: {since} to {times.format(loss['end'])} ({loss['cause']}){by}")
    lines += [f"  never came, by `seq`: {count} messages of {meter}" for meter, count in told["sequence_gaps"].items()]
    lines.append("everything received is accounted for" if told["good"] else "NOT everything is accounted for")
    return "\n".join(lines)
