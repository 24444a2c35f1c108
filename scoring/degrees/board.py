"""The board: the four degrees of every line over every window, as they stand now, without making an object of each.

Bit for bit what `Degrees.scores` gives for the same windows (a property test holds them equal), which stays the
definition, and is asked for the few rows that the kernel cannot be certain of.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from devices.readings import I64
from scoring.degrees.coverage import DEGREES
from scoring.degrees.doubles import evaluate
from scoring.degrees.forms import LineForm
from scoring.degrees.linear import F64, RATIOS, Linear, linear
from scoring.degrees.scales import Scales
from scoring.degrees.scopes import ScopePlan
from scoring.results import Score
from scoring.windows.kernel import kernel
from scoring.windows.sliding import SUMMED, Slide
from scoring.windows.sums import CoverageGroup

Exact = Callable[[int, int, int], Sequence[Score]]
"""(line, window, end) → its scores in the order of `DEGREES`, from the definition."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Arrays [line, window, degree]: rows of Plant.lines, of Plant.windows, of `DEGREES`."""

    ends: tuple[int, ...]  # by window, ms
    numerator: F64
    denominator: F64
    value: F64  # NaN where withheld
    covered: I64  # ms in which all that the degree requires is known while the line runs
    running: I64  # [line, window]: ms in which the line runs
    exact: int  # rows (line, window) that were left to the exact path


class Board:
    """Compiled once for a plant, and anew where a factor or benchmark changes."""

    def __init__(
        self,
        plant: Plant,
        forms: Sequence[LineForm],
        plans: Sequence[ScopePlan],
        scales: Scales,
        groups: Sequence[CoverageGroup],
    ) -> None:
        self._forms, self._plans, self._scales = forms, plans, scales
        alike: dict[object, int] = {}  # groups that ask the same are asked once
        rows = {(g.line, g.degree): alike.setdefault((g.channels, g.running), row) for row, g in enumerate(groups)}
        self._groups = np.asarray(
            [[rows[line.index, degree] for degree in DEGREES] for line in plant.lines], np.int64
        ).reshape(-1, len(DEGREES))
        self.asked = np.unique(self._groups)
        """The coverage groups that `standing` looks at."""
        self._order = np.argsort(plant.window_ms, kind="stable")  # as `Slide` has them
        self._lengths = np.asarray(plant.window_ms, np.int64)[self._order]
        self._edges = sorted({edge for form in forms for edge in form.edges})
        self._epoch = -1
        self._linear: Linear | None = None
        shape = (len(forms), len(self._lengths), len(DEGREES))
        self._ratios = np.zeros((*shape[:2], RATIOS))
        self._values = np.zeros(shape)
        self._idle = np.zeros(shape[:2], np.bool_)
        self._sure = np.zeros(shape[:2], np.bool_)

    def standing(self, slide: Slide, ends: Sequence[int], exact: Exact) -> Standing:
        """The board of the windows that `slide` was brought to, which end at `ends` (in the plant's order)."""
        ordered = np.asarray(ends, np.int64)[self._order]
        epoch = bisect_left(self._edges, int(ordered[0]))
        if self._linear is None or epoch != self._epoch:
            self._linear = linear(self._forms, self._plans, self._scales, int(ordered[0]), self._lengths.tolist())
            self._epoch = epoch
        plain = [
            bisect_right(self._edges, int(end - length)) == epoch == bisect_left(self._edges, int(end))
            for end, length in zip(ordered, self._lengths, strict=True)
        ]
        running = slide.joint_now[self._groups[:, 0], :, 1]
        laid, ratios, sure = self._linear, self._ratios, self._sure
        evaluate(laid, slide.now, running, self._lengths, np.asarray(plain), ratios, self._idle, sure)
        _divide(laid, slide.now, ratios, self._idle, self._values)
        rest = np.argwhere(~self._sure).tolist()
        for line, w in rest:
            for d, score in enumerate(exact(line, int(self._order[w]), int(ordered[w]))):
                self._ratios[line, w, 2 * d : 2 * d + 2] = score.numerator, score.denominator
                self._values[line, w, d] = np.nan if score.value is None else score.value
        back = np.argsort(self._order)
        return Standing(
            ends=tuple(ends),
            numerator=self._ratios[:, back, 0::2],
            denominator=self._ratios[:, back, 1::2],
            value=self._values[:, back],
            covered=slide.joint_now[self._groups][:, :, back, 0].transpose(0, 2, 1),
            running=running[:, back],
            exact=len(rest),
        )


@kernel
def _divide(linear: Any, now: I64, ratios: F64, idle: NDArray[np.bool_], values: F64) -> None:
    """values[line, window, degree] = numerator / denominator where it is to be shown, else NaN."""
    first_channel, channels, withheld = linear.first_channel, linear.channels, linear.withheld
    for line in range(len(withheld)):
        for w in range(withheld.shape[1]):
            empty = True
            for k in range(first_channel[line], first_channel[line + 1]):
                c = channels[k]
                for column in range(SUMMED):
                    empty = empty and now[c, w, column] == 0
            for d in range(len(DEGREES)):
                above = ratios[line, w, 2 * d]
                below = ratios[line, w, 2 * d + 1]
                shown = not (empty or idle[line, w] or withheld[line, w] >> d & 1) and below > 0.0 and above >= 0.0
                values[line, w, d] = above / below if shown else np.nan
