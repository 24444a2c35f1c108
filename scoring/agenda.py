"""`Agenda`: which steps are due to be told, which to be told again, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from devices.durations import DAY, HOUR, MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import Readings
from scoring.kinds import MOST, Again, Begun, Kind, go_on, together
from scoring.restate.causes import Book, from_json, to_json
from scoring.restate.past import Touched
from scoring.results import Changes
from scoring.stamp import Stamp
from scoring.steps import Steps, bits, rows_of, step_of, stored_step_of
from scoring.teller import Teller
from scoring.watermarks import Watermarks
from scoring.windows.rolling import Reach
from scoring.windows.rules import root

Moments = Literal["scores", "sums"]


class Agenda:
    """Steps of all kinds: stored ones, which readings touch, and moments, which are asked for.

    A step is told whole, or in pieces (`Begun`). Once begun it counts as told, and goes on before any other; what late
    readings touch of it meanwhile is told again like that of any told step.
    """

    def __init__(
        self, plant: Plant, marks: Watermarks, teller: Teller, *, steps: bool, moments: Moments | None
    ) -> None:
        self._plant, self._marks, self._teller = plant, marks, teller
        self._scopes_of_line = [[s.index for s in plant.scopes if line.index in s.lines] for line in plant.lines]
        self._scopes_touched = [bits(scopes) for scopes in self._scopes_of_line] + [0] * len(plant.stacks)
        self._stacks_touched = [0] * len(plant.lines) + [1 << stack.index for stack in plant.stacks]
        self._delayed = _delayed(plant, self._scopes_touched)
        self.wanted: Callable[[Kind, int, Sequence[int]], tuple[list[int], list[int]]] | None = None
        """(kind, end, rows) → the rows and windows of a step that are told; None: all."""
        self.stored: list[Kind] = []
        self.moments: list[Kind] = []
        if steps:
            self._stack_minutes = self._stack_kind(Steps(MINUTE))
            self._scores = [self._score_kind(step) for step in (MINUTE, HOUR)]
            self.stored = [self._stack_minutes, *self._scores]
        if moments == "scores":
            every = tuple(range(len(plant.windows)))
            self.moments = [
                Kind(
                    _unforgetting(),
                    plant.window_ms,
                    lambda ts, rows, windows, stamp: teller.windows(
                        ts, rows, teller.stepping(ts, windows or every), stamp
                    ),
                    marks.scopes,
                    self._scopes,
                ),
                self._stack_kind(_unforgetting()),
            ]
        elif moments == "sums":
            self.moments = [
                Kind(
                    _unforgetting(),
                    plant.window_ms,
                    lambda ts, rows, windows, stamp: Changes(sums=tuple(teller.sums(ts, rows, windows, stamp))),
                    marks.places,
                    lambda span: bits(span.lines) | bits(span.stacks) << len(plant.lines),
                )
            ]
        self.kinds = self.stored + self.moments
        self._begun: list[Begun] = []  # one at most
        self._begun_live: list[Begun] = []  # what is not final, each kind of one moment
        self._book = Book()  # why steps are to be told again

    # --- what makes steps -------------------------------------------------------------------------

    def touch(self, readings: Readings) -> None:
        """Remember in which steps readings came, for which scopes and stacks; what is derived from them comes later."""
        if not self.stored:
            return
        places = self._marks.place_of_channel[readings.channel]
        scopes = self._marks.scopes()
        for kind in self._scores:
            kind.steps.touch(readings.ts, places, self._scopes_touched, scopes)
            for delay, (measured, rows) in self._delayed.items():
                here = measured[readings.channel]
                kind.steps.touch(readings.ts[here] + delay, readings.channel[here].astype(np.int64), rows, scopes)
        if self._plant.stacks:
            self._stack_minutes.steps.touch(readings.ts, places, self._stacks_touched, self._marks.stacks())

    def ask(self, ts: int, reach: Reach) -> None:
        """Tell everything of the moment `ts` (a whole second) once it is final, and again whenever it changes.

        A moment beyond the reach of the sums waits for what touches it to be restated.
        """
        for kind in self.moments:
            reachable = all(ts - w >= _reach_of(ts, w, reach) for w in _stepping(kind.lengths, ts))
            rows = (1 << len(kind.marks())) - 1
            (kind.steps.ask if reachable else kind.steps.remember)(ts, rows)

    # --- what is due ------------------------------------------------------------------------------

    def behind(self) -> int:
        """How many steps are due."""
        begun = len(self._begun) + len(self._begun_live)
        return begun + sum(kind.steps.count(kind.marks()) for kind in self.kinds)

    def oldest(self) -> int | None:
        """The end of the oldest step that is still to be told, due or not; None where there is none."""
        ends = [begun.end for begun in (*self._begun, *self._begun_live)]
        return min([*ends, *(k.steps.oldest for k in self.kinds if k.steps.oldest is not None)], default=None)

    def lags(self) -> bool:
        """Whether a step that is due is a day behind: cells are not kept for ever."""
        for kind in self.kinds:
            marks = kind.marks()
            due = kind.steps.due(marks)
            if due and max(marks) - due[0] > DAY:
                return True
        return any(max(begun.kind.marks()) - begun.end > DAY for begun in self._begun)

    def next(self, ever: int | None = None) -> tuple[int, Kind, list[int]] | None:
        """The step that is begun, or the oldest that is due (with every watermark at `ever`, if given)."""
        for begun in self._begun:
            return begun.end, begun.kind, begun.rows
        best: tuple[int, Kind, list[int]] | None = None
        for kind in self.kinds:
            marks = kind.marks() if ever is None else [ever] * len(kind.marks())
            found = kind.steps.due(marks)
            if found is not None and (best is None or found[0] < best[0]):
                best = found[0], kind, found[1]
        return best

    def tell(self, end: int, kind: Kind, rows: list[int], stamp: Stamp, *, whole: bool = True) -> Changes:
        """Tell the `next` step, or (not `whole`) a piece more of it."""
        if not self._begun:
            kind.steps.told(end, rows)
            windows = list(range(len(kind.lengths)))
            if self.wanted is not None:
                rows, windows = self.wanted(kind, end, rows)
            self._begun = [Begun(end, kind, rows, windows)]
        return go_on(self._begun, stamp, whole=whole)

    def begin_live(self, ts: int) -> None:
        """The stored steps that end at `ts` and are not final are to be told as they stand, by `tell_live`."""
        for kind in self.stored:
            if rows := kind.steps.touched(ts):
                self._begun_live.append(Begun(ts, kind, rows, list(range(len(kind.lengths)))))

    @property
    def live_begun(self) -> bool:
        """Whether `tell_live` has something to tell."""
        return bool(self._begun_live)

    def tell_live(self, stamp: Stamp, *, whole: bool) -> Changes | None:
        """Tell of these the next, or (not `whole`) a piece more of it; None if there is nothing more."""
        return go_on(self._begun_live, stamp, whole=whole) if self._begun_live else None

    # --- what is told again -----------------------------------------------------------------------

    def reachable(self, span: Touched, reach: Reach) -> bool:
        """Whether all told steps that the span touches can be told again from the sums."""
        for kind in self.kinds:
            if span.start <= kind.steps.forgotten:
                return False
            mine = kind.rows(span)
            for end, rows in kind.steps.told_between(span.start, span.end + max(kind.lengths, default=0)):
                if rows & mine and any(
                    end - w < _reach_of(end, w, reach) for w in _stepping(kind.lengths, end) if end < span.end + w
                ):
                    return False
        return True

    def mark(self, span: Touched) -> bool:
        """All told steps that the span touches are to be told again; whether there are any."""
        any_ = False
        for kind in self.kinds:
            mine = kind.rows(span)
            for end, rows in kind.steps.told_between(span.start, span.end + max(kind.lengths, default=0)):
                windows = bits(i for i, w in enumerate(kind.lengths) if end < span.end + w)
                if rows & mine and windows:
                    entry = kind.again.setdefault(end, Again())
                    entry.rows |= rows & mine
                    entry.windows |= windows
                    any_ = True
        if any_:
            self._book.add(span.causes)
        return any_

    def tell_again(self, stamp: Stamp, *, whole: bool) -> Changes | None:
        """Tell the oldest step that is to be told again, or (not `whole`) a piece of it; None if there is none."""
        kinds = [kind for kind in self.kinds if kind.again]
        if not kinds:
            self._book.clear()
            return None
        kind = min(kinds, key=lambda k: min(k.again))
        end = min(kind.again)
        entry = kind.again[end]
        rows, windows = rows_of(entry.rows), rows_of(entry.windows)
        if not whole and len(rows) > MOST:
            rows = rows[: max(1, MOST // len(windows))]
            entry.rows &= ~bits(rows)
        else:
            windows = windows if whole else windows[: together(rows)]
            entry.windows &= ~bits(windows)
        if not (entry.rows and entry.windows):
            del kind.again[end]
        if self.wanted is not None:
            rows, wanted = self.wanted(kind, end, rows)
            windows = [w for w in windows if w in wanted]
        if not rows or not windows:
            return Changes()
        return self._teller.reads.because(kind.tell(end, rows, windows, stamp), self._book)

    # --- state ------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Plain JSON; moments are the business of who asked for them."""
        return {
            "causes": to_json(self._book),
            "stored": [
                {
                    "steps": kind.steps.snapshot(),
                    "again": [[end, str(a.rows), str(a.windows)] for end, a in sorted(kind.again.items())],
                }
                for kind in self.stored
            ],
            "begun": self._kept(self._begun),
            "begun_live": self._kept(self._begun_live),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `snapshot`."""
        self._book.add(from_json(state["causes"]))
        for kind, then in zip(self.stored, state["stored"], strict=True):
            kind.steps.restore(then["steps"])
            kind.again = {end: Again(int(rows), int(windows)) for end, rows, windows in then["again"]}
        for begun, was in (self._begun, state["begun"]), (self._begun_live, state["begun_live"]):
            begun[:] = [Begun(end, self.stored[kind], *rest) for end, kind, *rest in was]

    # --- inside -----------------------------------------------------------------------------------

    def _kept(self, begun: list[Begun]) -> list[list[Any]]:
        return [[b.end, self.stored.index(b.kind), b.rows, b.windows, b.done] for b in begun if b.kind in self.stored]

    def _scopes(self, span: Touched) -> int:
        return bits(scope for line in span.lines for scope in self._scopes_of_line[line])

    def _stack_kind(self, steps: Steps) -> Kind:
        teller = self._teller
        return Kind(
            steps,
            (MINUTE,),
            lambda ts, rows, _, stamp: Changes(emissions=tuple(teller.minutes(ts, rows, stamp))),
            self._marks.stacks,
            lambda span: bits(span.stacks),
        )

    def _score_kind(self, step: int) -> Kind:
        rows_of_window = [w for w, ms in enumerate(self._plant.window_ms) if stored_step_of(ms) == step]
        teller = self._teller
        return Kind(
            Steps(step),
            tuple(self._plant.window_ms[w] for w in rows_of_window),
            lambda ts, rows, windows, stamp: teller.windows(
                ts, rows, [rows_of_window[w] for w in windows], stamp, stored=True
            ),
            self._marks.scopes,
            self._scopes,
        )


def _stepping(lengths: Sequence[int], end: int) -> Iterator[int]:
    """The windows that have a step there: only these are told."""
    return (length for length in lengths if end % step_of(length) == 0)


def _reach_of(end: int, length: int, reach: Reach) -> int:
    """How far back the sums of a window that ends there are exact."""
    if end % MINUTE:
        return reach.seconds
    return reach.minutes if end % HOUR or length % HOUR else reach.hours


def _unforgetting() -> Steps:
    return Steps(SECOND, remembered=1 << 62)


def _delayed(plant: Plant, touched: Sequence[int]) -> dict[int, tuple[NDArray[np.bool_], list[int]]]:
    """By how much derived readings come later → which channels they are derived from, and what these touch, as bits."""
    found: dict[int, tuple[NDArray[np.bool_], list[int]]] = {}
    for line in plant.lines:
        for channel in (c for m in line.meters for c in plant.meters[m].channels):
            measured, delay = root(plant, channel)
            if delay:
                none = np.zeros(len(plant.channels), np.bool_), [0] * len(plant.channels)
                which, rows = found.setdefault(delay, none)
                which[measured] = True
                rows[measured] |= touched[line.index]
    return found
