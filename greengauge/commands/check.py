"""`greengauge check`: every mistake of a registry, or a summary of what it says."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from devices.errors import RegistryError
from devices.plant import load
from devices.plant.report import describe, warnings


def run(path: Path, *, as_json: bool) -> int:
    """Print the findings; 1 if there are mistakes, else 0."""
    try:
        plant = load(path)
    except RegistryError as wrong:
        if as_json:
            sys.stdout.write(json.dumps({"ok": False, "mistakes": [asdict(m) for m in wrong.mistakes]}) + "\n")
        else:
            for mistake in wrong.mistakes:
                sys.stdout.write(f"{mistake}\n")
            sys.stdout.write(f"{len(wrong.mistakes)} mistake(s)\n")
        return 1
    noted = warnings(plant)
    if as_json:
        sys.stdout.write(json.dumps({"ok": True, "mistakes": [], "warnings": [asdict(w) for w in noted]}) + "\n")
    else:
        sys.stdout.write(describe(plant) + "\n")
        for warning in noted:
            sys.stdout.write(f"warning: {warning}\n")
        sys.stdout.write("no mistakes\n")
    return 0
