"""Why a degree is not shown, and what is remarkable about one that is: in the words of people who run plants."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from scoring.degrees.scales import MS_PER_HOUR
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import LineView

GD, LCD, CD, SD = range(4)
_ZERO = ("no material was consumed", "no CO2 was emitted", "no material was consumed", "no person-time")


def withheld(
    plan: ScopePlan, degree: int, length: int, views: Sequence[LineView], numerator: int, denominator: int
) -> list[str]:
    """Why the degree cannot be shown over a window of `length` ms; empty if it can."""
    why = list(plan.withheld[degree])
    if degree in (GD, LCD) and plan.derived and length < MS_PER_HOUR:
        why.append("not shown below 1 h: output is derived")
    if degree == SD and length < 24 * MS_PER_HOUR:
        why.append("not shown below 24 h")
    if all(view.empty for view in views):
        return [*why, "no readings in the window"]
    if idle(plan, views):
        return [*why, _idle(plan)]
    if degree == LCD:
        why += _notes([part.missing for view in views for part in view.parts])
    if why:
        return why
    if denominator <= 0:
        return [_ZERO[degree] if denominator == 0 else "the sum below the line is negative"]
    if numerator < 0:
        return ["more is netted as internal flow than the members account for"]
    return why


def remarks(degree: int, views: Sequence[LineView], value: float | None) -> list[str]:
    """What a reader should know about a value that is shown."""
    said = expired(views) if degree == LCD else []
    if value is not None and value > 1 and degree in (GD, LCD):
        said.append("above 1: " + ("better than the benchmark" if degree == LCD else "less than the theoretical need"))
    return said


def expired(views: Sequence[LineView]) -> list[str]:
    """Factors and benchmarks used after their end."""
    return _notes([part.expired for view in views for part in view.parts])


def idle(plan: ScopePlan, views: Sequence[LineView]) -> bool:
    """Whether every line of the scope that could make something makes less than its least output."""
    makers = [view for form, view in zip(plan.lines, views, strict=True) if form.products]
    return bool(makers) and all(view.idle for view in makers)


def _idle(plan: ScopePlan) -> str:
    if len(plan.lines) > 1:
        return "idle: no line has output"
    form = plan.lines[0]
    least = form.line.min_output
    return f"idle: output is below {_decimal(least)} {form.products[0].unit}/h" if least else "idle: no output"


def _notes(notes: Sequence[tuple[str, ...]]) -> list[str]:
    return list(dict.fromkeys(text for texts in notes for text in texts))


def _decimal(value: Fraction) -> str:
    return f"{float(value):g}"
