"""What a benchmark found: named figures, which goals they reach, and whether the answers agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Value = str | int | float | bool | None


@dataclass(slots=True)
class Figures:
    """One flat object of named values. `met_X` tells whether figure X reached the goal `goal_X`."""

    values: dict[str, Value] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)  # rivals that are not installed
    wrong: list[str] = field(default_factory=list)  # answers that do not agree

    def say(self, name: str, value: Value) -> None:
        """A fact without a goal."""
        self.values[name] = _short(value)

    def reach(self, name: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> None:
        """A figure with its goal."""
        self.values[name] = _short(value)
        if at_most is not None:
            self.values[f"goal_{name}"] = f"<= {at_most:g}"
            self.values[f"met_{name}"] = value <= at_most
        if at_least is not None:
            self.values[f"goal_{name}"] = f">= {at_least:g}"
            self.values[f"met_{name}"] = value >= at_least

    def check(self, name: str, value: Value, wrong: str, good: bool) -> None:
        """A check of answers: a benchmark of wrong answers is worth nothing."""
        self.values[name] = value
        if not good:
            self.wrong.append(wrong)

    def lack(self, rival: str) -> None:
        """A rival that is not here."""
        self.missing.append(rival)

    def all(self) -> Mapping[str, Value]:
        """Everything, flat."""
        return {**self.values, "missing_rivals": " ".join(self.missing), "answers": "; ".join(self.wrong) or "agree"}


def tell(figures: Figures, *, as_json: bool, out: Path | None = None) -> int:
    """Print them, for people or as one flat JSON object, which `out` gets too. The exit code: 1 if answers disagree."""
    found = figures.all()
    if out is not None:
        out.write_text(json.dumps(found, indent=1) + "\n")
    if as_json:
        sys.stdout.write(json.dumps(found) + "\n")
        return 1 if figures.wrong else 0
    for name, figure in found.items():
        if not name.startswith(("goal_", "met_")):
            goal = found.get(f"goal_{name}")
            reached = "" if goal is None else f"   goal {goal}: {'reached' if found[f'met_{name}'] else 'NOT REACHED'}"
            sys.stdout.write(f"{name:<34} {figure}{reached}\n")
    return 1 if figures.wrong else 0


def _short(value: Value) -> Value:
    return float(f"{value:.6g}") if isinstance(value, float) else value
