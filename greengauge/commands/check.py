"""`greengauge check`: every mistake of a registry, or a summary of what it says."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from devices.errors import RegistryError
from devices.plant import load
from devices.plant.report import describe, warnings
from greengauge.terminal import say_line


def run(path: Path, *, as_json: bool) -> int:
    """Print the findings; 1 if there are mistakes, else 0."""
    try:
        plant = load(path)
    except RegistryError as wrong:
        if as_json:
            sys.stdout.write(json.dumps({"ok": False, "mistakes": [asdict(m) for m in wrong.mistakes]}) + "\n")
        else:
            for mistake in wrong.mistakes:
                say_line(str(mistake))
            say_line(f"{len(wrong.mistakes)} mistake(s)")
        return 1
    noted = warnings(plant)
    if as_json:
        sys.stdout.write(json.dumps({"ok": True, "mistakes": [], "warnings": [asdict(w) for w in noted]}) + "\n")
    else:
        sys.stdout.write(describe(plant) + "\n")
        for warning in noted:
            say_line(f"warning: {warning}")
        sys.stdout.write("no mistakes\n")
    return 0
