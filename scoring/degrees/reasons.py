"""Why a degree is not shown, and what is remarkable about one that is: in the words of people who run plants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scoring.degrees.balance import Remarks
from scoring.degrees.coverage import ROWS
from scoring.degrees.scales import MS_PER_HOUR
from scoring.degrees.scopes import ScopePlan
from scoring.degrees.window import LineView

GD, LCD, CD, SD = range(4)
ZERO = ("no material was consumed", "no CO2 was emitted", "no material was consumed", "no person-time")
_NEGATIVE = (
    "the material is negative: more was made inside than used",
    "CO2 is negative: credits exceed what was emitted",
    "the material is negative: more was made inside than used",
    "person-time is negative",
)
_ABOVE_1 = {GD: "above 1: less than the theoretical need", LCD: "above 1: better than the benchmark"}
_NAMED = 3
"""Lines that a reason names."""
NOTHING = "no readings in the window"


def still(plan: ScopePlan, views: Sequence[LineView]) -> str | None:
    """Why no degree of the scope can be shown: nothing was read, or nothing was made. None where it runs."""
    if False not in [view.empty for view in views]:
        return NOTHING
    makers = [view.idle for form, view in zip(plan.lines, views, strict=True) if form.products]
    if not makers or not all(makers):
        return None
    if len(plan.lines) > 1:
        return "idle: no line has output"
    form = plan.lines[0]
    least = form.line.min_output
    return f"idle: output is below {float(least):g} {form.products[0].unit}/h" if least else "idle: no output"


def too_short(degree: int, length: int, *, derived: bool) -> str:
    """Why a window of `length` ms is never shown for the degree (of a `derived` output); empty if it may be."""
    if degree in (GD, LCD) and derived and length < MS_PER_HOUR:
        return "not shown below 1 h: output is derived"
    return "not shown below 24 h" if degree == SD and length < 24 * MS_PER_HOUR else ""


def withheld(
    never: Sequence[str], still: str | None, missing: Remarks, degree: int, numerator: int, denominator: int
) -> list[str]:
    """Why the degree cannot be shown; empty if it can. `never`: why it cannot over any window of that length."""
    if never or still or missing:
        why = [*never, still] if still else [*never, *concerning(missing, degree)]
        if why:
            return why
    if denominator <= 0:
        return [ZERO[degree] if denominator == 0 else _NEGATIVE[degree]]
    if numerator < 0:
        return ["more is netted as internal flow than the members account for"]
    return []


def unheard(lines: Sequence[str]) -> str:
    """These running lines' part of the sums is missing: at no time all was read of them that the degree asks for."""
    return f"line {_named(lines)}: at no time all was read that counts"


def unsure(lines: Sequence[str]) -> str:
    """The running channel of these lines is missing for more than a tenth of the window."""
    return f"line {_named(lines)}: not always known whether it runs"


def _named(lines: Sequence[str]) -> str:
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    return ", ".join(lines[:_NAMED]) + more


def remarks(degree: int) -> list[str]:
    """What a reader should know about a value above 1."""
    return [_ABOVE_1[degree]] if degree in _ABOVE_1 else []


def said(notes: Iterable[Remarks]) -> Remarks:
    """Each remark once."""
    found = [remark for remarks in notes for remark in remarks]
    return tuple(dict.fromkeys(found)) if found else ()


def concerning(notes: Remarks, row: int) -> list[str]:
    """What is said of one row of `ROWS`, in words."""
    return [text for rows, text in notes if ROWS[row] in rows] if notes else []
