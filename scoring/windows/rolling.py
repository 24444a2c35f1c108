"""`Rolling`: the rolling sums of all channels: winning readings kept, exact integer cells made of them, cells added.

Everything it tells is a function of the winning readings: order, repetition and batching of what comes
in make no difference, as long as no reading is older than its channel's newest by more than its
horizon (`keep` of its record); such a one is counted in `late` and not taken.

Memory per channel: two or three bytes a minute and an hour that it has seen, of the horizons at most (6 kB with
windows up to 30 days), 0.7 kB for the hour that is written to, and 8 bytes a kept reading, 4 where the meter keeps a
beat: of 66 min (grace + 5 min if that is more) or of the newest 128 of a line's fastest meter, whichever is more, and a
sixteenth more between compactions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from devices.plant.flags import LETTERS as PLACES
from devices.plant.model import Plant
from devices.readings import I64, Mark, Readings
from scoring.state import owned
from scoring.windows.arena import grown, packed, roomy, tight, widened
from scoring.windows.at_once import coverages
from scoring.windows.buffer import take_in
from scoring.windows.carried import NOTHING, Carried
from scoring.windows.cells import spans
from scoring.windows.counters import compact_all
from scoring.windows.coverage import group_table
from scoring.windows.edges import cut_edges
from scoring.windows.kept import LEAN, unpacked
from scoring.windows.kernel import (
    BAD_RISES,
    COLUMNS,
    CONFLICTS,
    COVERED,
    ESTIMATED,
    HIGH,
    HOUR,
    LETTER,
    LETTERS,
    LOW,
    MINUTE,
    OUT_OF_RANGE,
    OUTSIDE,
    RESETS,
    SPIKES,
)
from scoring.windows.records import NONE
from scoring.windows.rows import Cells
from scoring.windows.rules import KEPT, LONGEST_SLACK, channel_table, hour_horizon, minute_horizon
from scoring.windows.sliding import Slide, slide
from scoring.windows.sums import CoverageGroup, Seen, SpanSums
from scoring.windows.takeover import with_cells_of, with_pairs_of
from scoring.windows.updating import update
from scoring.windows.weighing import lab_table

_FLAGS = {"spikes": SPIKES, "resets": RESETS, "bad_rises": BAD_RISES, "out_of_range": OUT_OF_RANGE, "letters": LETTERS}
_OF_ANY_SIZE = ("entries", "store", "odd", "free")
_CELLS = ("used", "where", "opened", "open_sums", "open_held", "odd", "free")
_FIRST_ROOM = 32
_FIRST_HOURS = 4
_SEVERAL = 16
"""Readings of a counter after which a reading before them decides of no spike any more."""


class Changed(NamedTuple):
    """Spans of event time [low, high], ms; low > high where there is none."""

    low: I64  # by channel: its sums changed
    high: I64
    lost_low: I64  # by channel: readings came when their surroundings were gone, and were not taken
    lost_high: I64
    joint_low: I64  # by coverage group: changed when another channel's readings were gone
    joint_high: I64


class Reach(NamedTuple):
    """From where on spans are exact whose ends lie on whole seconds, minutes, hours; ms."""

    seconds: int
    minutes: int
    hours: int


class Rolling:
    """The `Sums` of a plant. Not thread-safe."""

    def __init__(
        self, plant: Plant, groups: Sequence[CoverageGroup] = (), *, lag_ms: int = 0, moments: bool = False
    ) -> None:
        """With `lag_ms` its cells reach so much further back; see `channel_table` for `moments`."""
        channels = len(plant.channels)
        self._horizon, self._hours = minute_horizon(plant, lag_ms), hour_horizon(plant, lag_ms)
        self._grace, self._minutes_back = plant.intake.grace_ms, self._horizon
        self._gone = NONE  # minutes before this are not there, although `minutes_back` reaches so far by now
        self._channels, self._target = channel_table(plant, lag_ms, moments=moments)
        labs = lab_table(plant, self._channels)
        self._cells = Cells.empty(channels, len(groups), 60 * _FIRST_HOURS, _FIRST_HOURS, cut_edges(plant), labs)
        self._groups, self._required, self._member = group_table(groups, self._channels)
        self._reach_of_one = int((self._channels["period"] + self._channels["delay"]).max(initial=0))
        self._oldest, self._newest = -NONE, NONE  # event times that sums can reach to
        self._channels["width"] = LEAN
        self._channels["room"] = _FIRST_ROOM
        self._channels["begin"] = np.arange(channels) * _FIRST_ROOM * LEAN
        self._free = channels * _FIRST_ROOM * LEAN  # the arena's first unused word
        self._entries = np.zeros(self._free, np.int32)
        self._full = np.full(channels, 2 * _FIRST_ROOM, np.int64)  # entries at which a channel is compacted
        self._out = np.zeros((channels, COLUMNS), np.int64)
        self._all = np.arange(channels)
        self._acc = np.zeros(COLUMNS, np.int64)
        self._scratch = np.zeros((max([len(g.channels) for g in groups], default=0) + 1, 2), np.int64)
        self._slide = Slide.of(channels, len(groups), plant.window_ms)
        self._carried = NOTHING
        self._weighed = np.flatnonzero(self._channels["labs"] < self._channels["labs_stop"])
        self._order = np.argsort(plant.window_ms, kind="stable")
        self._fresh = True

    # --- Sums -----------------------------------------------------------------------------------

    def push(self, readings: Readings) -> None:
        """Take readings in; what they touch is summed anew, whatever their order."""
        n = len(readings)
        if n == 0:
            return
        r = readings
        outside = (r.mark & Mark.OUT_OF_RANGE).astype(np.uint8)
        row = 0
        while True:
            row = take_in(
                self._entries, self._channels, self._target, r.channel, r.ts, r.value, r.rev, r.letter, outside, row
            )
            if row == n:
                break
            if self._channels["widen"].any():
                moved = widened(self._entries, self._channels, self._free)
            else:
                moved = grown(self._entries, self._channels, self._free, self._target, r.channel, row)
            self._entries, self._channels, self._free = moved
        self._fresh, self._carried = False, NOTHING
        self._seen(int(r.ts.min()), int(r.ts.max()))
        full = np.flatnonzero(self._channels["count"] >= self._full)
        if len(full):
            self._compact(full)

    def span(self, start: int, end: int, channels: I64 | None = None) -> SpanSums:
        """All channels' exact sums over (start, end]; see `Sums.span` for where the ends may lie."""
        if channels is None and self._carried.has(start, end):
            found = self._carried.sums(self._slide, start, end)
            if len(self._weighed):  # their marks are no sums of marks
                w, anew = self._weighed, self.span(start, end, self._weighed)
                found.estimated[w], found.flagged[w] = anew.estimated[w], anew.flagged[w]
            return found
        out = self._spans(start, end, channels)
        sums = np.zeros((5, len(out)), np.int64)
        rows = slice(None) if channels is None else channels
        for row, column in enumerate((HIGH, LOW, COVERED, ESTIMATED)):
            sums[row, rows] = out[rows, column]
        sums[4, rows] = out[rows, SPIKES:CONFLICTS].sum(axis=1)
        return SpanSums(start, end, *sums)

    def coverages(self, groups: I64, start: int, end: int) -> I64:
        """By group asked: ms in which all of it is known while its line runs, ms in which it runs."""
        self._update()
        found = np.empty((len(groups), 2), np.int64)
        rest = self._carried.coverages(self._slide, groups, start, end, found)
        if len(rest):
            anew = np.empty((len(rest), 2), np.int64)
            coverages(
                self._entries, self._channels, self._cells, self._groups, self._required, groups[rest],
                start, end, self._scratch, anew,
            )  # fmt: skip
            found[rest] = anew
        return found

    def coverage(self, group: int, start: int, end: int) -> tuple[int, int]:
        """`coverages` of one group."""
        covered, running = self.coverages(np.asarray([group]), start, end)[0].tolist()
        return covered, running

    def slide(self, clock: int, ends: Sequence[int], groups: I64) -> Slide:
        """The plant's windows, each up to its end at or after `clock`; cheap where `clock` moves on in small steps.

        Joint coverage of `groups` (rows), the same at each call.

        What it gives is overwritten by the next call; its windows stand in ascending order of their lengths. Until
        something comes, `span` and `coverages` of these windows are told from it.
        """
        s = self._slide
        order = np.asarray(ends, np.int64)[self._order]
        if self._carried.at(clock, order):
            return s
        self._update()
        slide(
            self._entries, self._channels, self._cells, self._groups, self._required,
            s, clock, order, groups, self._acc, self._scratch,
        )  # fmt: skip
        self._carried = Carried(clock, order, s.lengths, groups, len(self._groups))
        return s

    def last(self, channel: int) -> int | None:
        """Event time of the channel's newest reading (of a derived channel: of its source's)."""
        ch = self._channels[channel]
        return None if ch["newest"] == NONE else int(ch["newest"] - ch["delay"])

    def newest(self, channels: I64 | None = None) -> I64:
        """`last` of every channel, or of those rows; `NONE` where there is none."""
        newest, delay = self._channels["newest"], self._channels["delay"]
        if channels is not None:
            newest, delay = newest[channels], delay[channels]
        return np.where(newest == NONE, NONE, newest - delay)

    def readings(self, channel: int, start: int, end: int) -> list[Seen]:
        """The winning readings in [start, end) that are still kept, in order of time."""
        kept = self._kept(channel)
        times = kept[:, 0]
        found = []
        for i in range(int(np.searchsorted(times, start)), int(np.searchsorted(times, end))):
            if i + 1 == len(kept) or times[i + 1] != times[i]:  # the last of a time is its winner
                ts, value, state = kept[i].tolist()
                found.append(Seen(ts, value, PLACES[state >> LETTER], bool(state & OUTSIDE)))
        return found

    # --- more than the seam asks ----------------------------------------------------------------

    def flags(self, start: int, end: int, channels: I64 | None = None) -> dict[int, dict[str, int]]:
        """What is remarkable about channels (default: all) in (start, end], by row and name; nothing where it is 0."""
        wanted = self._all if channels is None else channels
        out = self._spans(start, end, wanted)[wanted]
        names = {**_FLAGS, "estimated_ms": ESTIMATED, "conflicts": CONFLICTS}
        marked = np.flatnonzero(out[:, list(names.values())].any(axis=1))
        rows = zip(wanted[marked].tolist(), out[marked].tolist(), strict=True)
        return {c: {name: row[k] for name, k in names.items() if row[k]} for c, row in rows}

    def reaches(self, start: int, end: int) -> NDArray[np.bool_]:
        """Per channel, whether all of (start, end] is still there: hours longest, then minutes, readings least."""
        self._update()
        floors, minutes, hours = self._floors(self._channels)
        if start % HOUR == end % HOUR == 0:
            since = hours
        else:
            since = minutes if start % MINUTE == end % MINUTE == 0 else np.maximum(floors, minutes)
        reached: NDArray[np.bool_] = (self._channels["newest"] == NONE) | (start >= since)
        return reached

    @property
    def duplicates(self) -> int:
        """Readings already seen."""
        return int(self._channels["duplicates"].sum())

    @property
    def late(self) -> int:
        """Readings older than their channel's horizon: not counted in any window."""
        return int(self._channels["late"].sum())

    def changed(self) -> Changed:
        """What changed since the last call."""
        self._update()
        found = Changed(
            *(self._channels[name].copy() for name in ("changed_low", "changed_high", "lost_low", "lost_high")),
            *(self._groups[name].copy() for name in ("lost_low", "lost_high")),
        )
        for name in ("changed_low", "lost_low"):
            self._channels[name], self._channels[name.replace("low", "high")] = -NONE, NONE
        self._groups["lost_low"], self._groups["lost_high"] = -NONE, NONE
        return found

    def reach(self) -> Reach:
        """How far back spans are exact."""
        self._update()
        known = self._channels[self._channels["sealed"] > NONE]
        if not len(known):
            return Reach(NONE, NONE, NONE)
        floors, minutes, hours = self._floors(known)
        return Reach(int(max(floors.max(), minutes.max())), int(minutes.max()), int(hours.max()))

    def _floors(self, known: NDArray[Any]) -> tuple[I64, I64, I64]:
        """By channel the times from which on its single readings, its minutes and its hours are there."""
        sealed, floors = known["sealed"], known["floor"]
        most_minutes, most_hours = self._most()
        minutes = np.minimum(np.maximum((sealed - most_minutes) * MINUTE, self._gone), floors)
        return floors, minutes, np.minimum((sealed // 60 - most_hours) * HOUR, floors)

    def kept_after(self, channel: int, ts: int) -> int | None:
        """A time by which the channel has several readings after `ts`, at the latest; None where it has none."""
        times = self._kept(channel)[:, 0]
        later = times[times > ts]
        return int(later[min(_SEVERAL, len(later)) - 1]) if len(later) else None

    def hold(self, lag_ms: int) -> None:
        """The oldest step that is still to be told lies so far behind the newest reading: keep the minutes it needs."""
        held_up = max(0, lag_ms - self._grace) // HOUR * HOUR
        longer = self._horizon + min(held_up, LONGEST_SLACK)
        if longer > self._minutes_back:
            self._gone = max(self._gone, self._newest // MINUTE * MINUTE - self._most()[0] * MINUTE)
            self._minutes_back = longer

    def seed(self, other: Rolling, before: int) -> None:
        """Take over all cells of another's that end at or before `before`, a whole hour, to go on from there."""
        self._seen(min(other._oldest, before), before)
        self._update()
        self._lengthen()  # although nothing came: what is taken over must find its place
        other._update()
        for mine, theirs in ((self._channels, other._channels), (self._groups, other._groups)):
            sealed = np.minimum(theirs["sealed"], before // MINUTE)  # NONE where nothing came
            mine["sealed"] = np.maximum(mine["sealed"], sealed)
            mine["gone"] = np.minimum(other._left(theirs), before // MINUTE)  # what follows is read anew
        self._channels["floor"] = np.maximum(self._channels["floor"], before)  # readings before it are not all here
        self._copy(other, range(len(self._channels)), range(len(self._groups)), (NONE, before))

    def adopt(self, other: Rolling, channels: Iterable[int], groups: Iterable[int], start: int, end: int) -> None:
        """Take over the cells that lie in part in (start, end], of some channels and groups, where both keep them."""
        self._seen(start, start)
        self._copy(other, channels, groups, (start // HOUR * HOUR, -(-end // HOUR) * HOUR))

    def _copy(self, other: Rolling, channels: Iterable[int], groups: Iterable[int], hours: tuple[int, int]) -> None:
        self._carried = NOTHING
        self._slide.until[:] = NONE  # windows that slide are to be added up anew
        self._slide.joint_until[:] = NONE
        self._update()
        other._update()
        sealed, theirs = self._channels["sealed"], other._channels["sealed"]
        gone = other._channels["gone"]
        self._cells = with_cells_of(self._cells, other._cells, channels, sealed, theirs, gone, hours, self._acc)
        sealed, theirs, gone = self._groups["sealed"], other._groups["sealed"], other._groups["gone"]
        self._cells = with_pairs_of(self._cells, other._cells, groups, sealed, theirs, gone, hours)

    # --- state ----------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs to go on from here, bit-identical."""
        return {name: array.copy() for name, array in self.state().items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """`snapshot` in arrays that are partly our own, for a look at once."""
        self._update()
        entries, channels = packed(self._entries, self._channels, self._channels["count"], spare=0)
        self._cells = cells = self._cells.longer(self._cells.minutes, self._cells.hours)
        return {
            "entries": entries,
            "channels": channels,
            "full": self._full,
            "store": cells.store[: cells.used[0]],
            **{name: getattr(cells, name) for name in _CELLS},
            "groups": self._groups,
            "reach": np.asarray(
                [self._oldest, self._newest, self._minutes_back, self._gone, cells.minutes, cells.hours], np.int64
            ),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot of the same plant; ValueError if it does not fit."""
        for name, now in self.state().items():
            then = state.get(name)
            sizes = slice(1) if name == "where" else slice(0 if name in _OF_ANY_SIZE else None)
            if then is None or then.dtype != now.dtype or then.shape[sizes] != now.shape[sizes]:
                raise ValueError(f"the state's {name} are not those of this plant")
        self._entries, self._channels = owned(state["entries"]), owned(state["channels"])
        self._full = owned(state["full"])
        self._oldest, self._newest, self._minutes_back, self._gone, minutes, hours = state["reach"].tolist()
        arrays = {name: owned(state[name]) for name in ("store", *_CELLS)}
        self._cells = self._cells._replace(minutes=minutes, hours=hours, **arrays)
        self._groups = owned(state["groups"])
        self._free = len(self._entries)
        self._fresh, self._carried = True, NOTHING

    # --- inside ---------------------------------------------------------------------------------

    def _kept(self, channel: int) -> I64:
        """The kept readings of a channel, a row each: ts, value, state."""
        kept = np.empty((int(self._channels["count"][channel]), 3), np.int64)
        unpacked(self._entries, self._channels[channel], kept)
        return kept

    def _seen(self, oldest: int, newest: int) -> None:
        """Readings from `oldest` to `newest` come in, or cells up to there are taken over."""
        self._oldest = min(self._oldest, oldest - self._reach_of_one)
        self._newest = max(self._newest, newest + self._reach_of_one)

    def _most(self) -> tuple[int, int]:
        """The greatest number of minutes and of hours that are kept."""
        return (self._minutes_back // HOUR + 2) * 60, self._hours // HOUR + 2

    def _lengthen(self) -> None:
        """Let the rings be as long as what came needs; they grow by an eighth."""
        hours = self._newest // HOUR - self._oldest // HOUR + 3  # an hour before the first reading reads as nothing
        most_minutes, most_hours = self._most()
        cells, more = self._cells, hours + hours // 8
        long_enough = cells.minutes >= min(60 * hours, most_minutes) and cells.hours >= min(hours, most_hours)
        if self._newest == NONE or long_enough:
            return
        minutes, hours = max(cells.minutes, min(60 * more, most_minutes)), max(cells.hours, min(more, most_hours))
        for table in self._channels, self._groups:
            table["gone"] = self._left(table)  # minutes that the ring let go do not come back with more room
        self._cells = cells.longer(minutes, hours)

    def _left(self, table: NDArray[Any]) -> I64:
        """By channel or group the first minute that is in the ring; `NONE` where it lost none."""
        first = table["sealed"] - self._cells.minutes
        left: I64 = np.where(first > self._oldest // MINUTE, np.maximum(table["gone"], first), table["gone"])
        return left

    def _spans(self, start: int, end: int, channels: I64 | None = None) -> I64:
        """By channel its columns; where some are asked for, what stands at the others means nothing."""
        self._update()
        wanted = self._all if channels is None else channels
        spans(self._entries, self._channels, self._cells, wanted, start, end, self._out)
        return self._out

    def _update(self) -> None:
        if self._fresh:
            return
        self._lengthen()
        while not update(
            self._entries, self._channels, self._cells, self._groups, self._required, self._member,
            self._acc, self._scratch,
        ):  # fmt: skip
            self._cells = self._cells.roomier()
        self._fresh = True

    def _compact(self, channels: NDArray[np.intp]) -> None:
        self._update()
        compact_all(self._entries, self._channels, channels, KEPT, self._minutes_back)
        self._full[channels] = np.maximum(2 * _FIRST_ROOM, roomy(self._channels["count"][channels]))
        self._entries, self._channels, self._free = tight(self._entries, self._channels, self._free)
