"""What a benchmark found: named figures, which goals they reach, and whether the answers agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


def _short(value: Value) -> Value:
    return float(f"{value:.6g}") if isinstance(value, float) else value
