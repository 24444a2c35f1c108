"""`greengauge rewind`: the store cursor goes back, in the service that runs or, without one, for when it starts."""

from __future__ import annotations

import json
import sys

from devices import times
from greengauge.commands.given import given
from greengauge.history import History
from greengauge.parts import influx_token, lock_of
from greengauge.restating.requests import ask
from greengauge.rewinding import Rewound, place
from greengauge.settings import Settings
from ingest.log.cursors import Cursors
from ingest.log.view import LogView


def run(to: str, settings: Settings, *, as_json: bool) -> int:
    """Rewind to a receive time; exit code 1 where the log does not reach back that far."""
    rewound = place(LogView(settings.data / "log"), given("--to", to, times.parse))
    lock = lock_of(settings.data)
    if lock is None:
        ask(settings.data, {"do": "rewind", "to": rewound.to})
    else:
        with lock:
            _here(settings, rewound)
    if as_json:
        sys.stdout.write(json.dumps(rewound.to_json() | {"running": lock is None}) + "\n")
    else:
        when = "" if lock is None else "\nNo service runs here: it begins when one starts"
        sys.stdout.write(rewound.text + when + "\n")
    return 0 if rewound.complete else 1


def _here(settings: Settings, rewound: Rewound) -> None:
    """Without a service: on the data folder itself, whose lock is held."""
    cursors = Cursors(settings.data / "log" / "cursors")
    try:
        if rewound.position < cursors.get("store"):
            cursors.set("store", rewound.position)
    finally:
        cursors.close()
    if influx_token(settings) is not None:  # scores are delivered to a store outside only
        history = History(settings.data / "history.db")
        try:
            history.deliver_again(rewound.to)
        finally:
            history.close()
