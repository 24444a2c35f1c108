"""The US hour: the mean of its valid points under the quadrant rule, 40 CFR 60.13(h)(2).

    full hour       (i)   a point in each of its four quarters
    partial hour    (ii)  a point in each quarter in which a line ran
    with calibration or maintenance  (iii)  two points at least 15 minutes apart; one, if a line ran in one quarter only
    after a failed calibration       (iv)   nothing counts, unless one passes in the same hour; then as (iii), of
                                            the points after it alone

A point is a minute that is valid and in which a reading begins: a value that is only held is none. A reading too late
in its minute to make it valid makes the next one its point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scoring.stacks.minutes import Atom
from scoring.stacks.tally import Tally, widths

QUARTER = 15


def fold(minutes: Sequence[Atom]) -> Tally:
    """An hour's minutes, in order: `micro` and `valid` are those of its points, `verdict` says why they are no hour."""
    points, verdict = _points(minutes), ""
    operated = {i // QUARTER for i, a in enumerate(minutes) if a.running}
    failed = max((i for i, a in enumerate(minutes) if a.verdict < 0), default=None)
    if failed is not None:
        passed = min((i for i, a in enumerate(minutes) if a.verdict > 0 and i > failed), default=None)
        points = [] if passed is None else [i for i in points if i > passed]
        if passed is None:
            verdict = "a calibration failed and none passed after it in this hour"
    if not verdict:
        verdict = _verdict(points, operated, short=failed is not None or any(a.check for a in minutes))
    base = Tally.of(minutes)
    return replace(
        base,
        micro=sum(minutes[i].micro or 0 for i in points),
        valid=len(points),
        wide=widths(minutes[i] for i in points),
        asked=len(operated),
        got=len(operated & {i // QUARTER for i in points}),
        verdict=verdict,
    )


def _verdict(points: Sequence[int], operated: set[int], *, short: bool) -> str:
    if not points:
        return "no valid point"
    if short:
        apart = points[-1] - points[0]
        if len(operated) > 1 and apart < QUARTER:
            return "an hour with calibration or maintenance needs two valid points 15 min apart"
        return ""
    missing = sorted(operated - {i // QUARTER for i in points})
    if missing:
        return f"no valid point in quarter {', '.join(str(q + 1) for q in missing)} of the hour"
    return ""


def _points(minutes: Sequence[Atom]) -> list[int]:
    found, begun = [], False
    for i, atom in enumerate(minutes):
        begun |= atom.began
        if atom.micro is not None and begun:
            found.append(i)
            begun = False
    return found
