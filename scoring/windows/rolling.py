"""`Rolling`: the rolling sums of all channels. Keeps winning readings, makes exact integer cells of them, adds cells up.

Everything it tells is a function of the winning readings: order, repetition and batching of what comes
in make no difference, as long as no reading is older than its channel's newest by more than its
horizon (`Rules.keep`); such a one is counted in `late` and not taken.

Memory per channel: 32 bytes a minute and 48 an hour of the horizons (about 135 kB with windows up to
30 days), and 25 bytes a kept reading (a line's fastest meter keeps 8,192 of them, or grace + 2 h).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from devices.plant.model import Plant
from devices.readings import I64, Mark, Readings
from scoring.windows.buffer import NONE, Kept, take_in
from scoring.windows.cells import Cells, spans
from scoring.windows.counters import compact
from scoring.windows.coverage import Groups, coverage, update
from scoring.windows.edges import cut_edges
from scoring.windows.kernel import (
    BAD_RISES,
    COLUMNS,
    CONFLICTS,
    COVERED,
    ESTIMATED,
    HIGH,
    HOUR,
    LETTERS,
    LOW,
    OUT_OF_RANGE,
    RESETS,
    SPIKES,
)
from scoring.windows.rules import KEPT, hour_horizon, minute_horizon, rules
from scoring.windows.sums import CoverageGroup, SpanSums

Part = TypeVar("Part", Kept, Cells, Groups)

_ARENA = ("ts", "value", "rev", "state")
_FLAGS = {"spikes": SPIKES, "resets": RESETS, "bad_rises": BAD_RISES, "out_of_range": OUT_OF_RANGE, "letters": LETTERS}


class Rolling:
    """The `Sums` of a plant. Not thread-safe."""

    def __init__(self, plant: Plant, groups: Sequence[CoverageGroup] = ()) -> None:
        channels = len(plant.channels)
        self._rules = rules(plant)
        self._horizon = minute_horizon(plant)
        minutes = (self._horizon // HOUR + 2) * 60
        hours = hour_horizon(plant) // HOUR + 2
        self._kept = Kept.empty(channels)
        self._cells = Cells.empty(channels, minutes, hours, cut_edges(plant))
        self._groups = Groups.of(groups, channels, minutes, hours)
        self._free = int(self._kept.room.sum())  # the arena's first unused entry
        self._full = np.full(channels, 64, np.int64)  # entries at which a channel is compacted
        self._out = np.zeros((channels, COLUMNS), np.int64)
        self._acc = np.zeros(COLUMNS, np.int64)
        self._scratch = np.zeros((max([len(g.channels) for g in groups], default=0) + 1, 2), np.int64)
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
            row = take_in(self._kept, self._rules, r.channel, r.ts, r.value, r.rev, r.letter, outside, row)
            if row == n:
                break
            self._grow(r.channel[row:])
        self._fresh = False
        full = np.flatnonzero(self._kept.count >= self._full)
        if len(full):
            self._compact(full)

    def span(self, start: int, end: int) -> SpanSums:
        """All channels' exact sums over (start, end]; see `Sums.span` for where the ends may lie."""
        out = self._spans(start, end)
        return SpanSums(
            start=start,
            end=end,
            high=out[:, HIGH].copy(),
            low=out[:, LOW].copy(),
            covered=out[:, COVERED].copy(),
            estimated=out[:, ESTIMATED].copy(),
            flagged=out[:, SPIKES:CONFLICTS].sum(axis=1),
        )

    def coverage(self, group: int, start: int, end: int) -> tuple[int, int]:
        """(ms covered and not estimated by the whole group while its line runs, ms in which it runs) in (start, end]."""
        self._update()
        covered, running = coverage(self._kept, self._rules, self._groups, group, start, end, self._scratch)
        return int(covered), int(running)

    def last(self, channel: int) -> int | None:
        """Event time of the channel's newest reading (of a derived channel: of its source's)."""
        newest = int(self._kept.newest[channel])
        return None if newest == NONE else newest - int(self._rules.delay[channel])

    # --- more than the seam asks ----------------------------------------------------------------

    def flags(self, start: int, end: int) -> list[dict[str, int]]:
        """What is remarkable about each channel in (start, end], by name; only what is not 0."""
        out = self._spans(start, end)
        names = {**_FLAGS, "estimated_ms": ESTIMATED, "conflicts": CONFLICTS}
        return [{name: int(row[k]) for name, k in names.items() if row[k]} for row in out]

    @property
    def duplicates(self) -> int:
        """Readings already seen."""
        return int(self._kept.duplicates.sum())

    @property
    def late(self) -> int:
        """Readings older than their channel's horizon: not counted in any window."""
        return int(self._kept.late.sum())

    @property
    def newest(self) -> I64:
        """Per channel, event time of its newest reading, a derived channel's delay included; hugely negative for none."""
        return self._kept.newest

    # --- state ----------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, NDArray[np.generic]]:
        """Everything that `restore` needs to go on from here, bit-identical."""
        self._update()
        state: dict[str, NDArray[np.generic]] = {"full": self._full.copy()}
        packed = self._packed(self._kept.count, spare=0)
        for name, part in (("kept", packed), ("cells", self._cells), ("groups", self._groups)):
            for field, array in zip(part._fields, part, strict=True):
                state[f"{name}.{field}"] = array.copy()
        return state

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Go on from a snapshot of the same plant; ValueError if it does not fit."""

        def load(name: str, now: Part) -> Part:
            arrays = [state[f"{name}.{field}"].copy() for field in now._fields]
            for field, was, array in zip(now._fields, now, arrays, strict=True):
                sized = field in _ARENA
                if array.dtype != was.dtype or (not sized and array.shape != was.shape):
                    raise ValueError(f"{name}.{field} is {array.dtype}{array.shape}, not {was.dtype}{was.shape}")
            return type(now)(*arrays)  # type: ignore[arg-type] # each array has the type of the one it replaces

        try:
            self._kept, self._cells, self._groups = (
                load("kept", self._kept),
                load("cells", self._cells),
                load("groups", self._groups),
            )
            self._full = np.asarray(state["full"], np.int64).copy()
        except KeyError as missing:
            raise ValueError(f"the state has no {missing}") from None
        self._free = int(self._kept.room.sum())
        self._fresh = True

    # --- inside ---------------------------------------------------------------------------------

    def _spans(self, start: int, end: int) -> I64:
        self._update()
        spans(self._kept, self._rules, self._cells, start, end, self._out)
        return self._out

    def _update(self) -> None:
        if not self._fresh:
            update(self._kept, self._rules, self._cells, self._groups, self._acc, self._scratch)
            self._fresh = True

    def _compact(self, channels: NDArray[np.intp]) -> None:
        self._update()
        for c in channels:
            compact(self._kept, self._rules, c, KEPT, self._horizon)
        self._full[channels] = np.maximum(64, 2 * self._kept.count[channels])

    def _grow(self, coming: NDArray[np.int32]) -> None:
        """Give every channel room for the rows that are still to come, in slots of powers of two."""
        k = self._kept
        rows = np.bincount(coming, minlength=len(k.count))
        source = np.repeat(np.arange(len(k.count)), np.diff(self._rules.heirs))
        rows[self._rules.heir] += rows[source]
        need = k.count + rows
        room = np.where(need > k.room, 2 ** np.ceil(np.log2(np.maximum(need, 2))).astype(np.int64), k.room)
        moved = np.flatnonzero(room > k.room)
        if self._free + int(room[moved].sum()) > len(k.ts):
            self._free = int(room.sum())
            self._kept = self._packed(room, spare=self._free // 2)
            return
        for c in moved:
            begin, count = int(k.begin[c]), int(k.count[c])
            for array in (k.ts, k.value, k.rev, k.state):
                array[self._free : self._free + count] = array[begin : begin + count]
            k.begin[c] = self._free
            self._free += int(room[c])
        k.room[:] = room

    def _packed(self, room: I64, spare: int) -> Kept:
        """The kept readings in a new arena, slots of `room` side by side and `spare` entries after them."""
        k = self._kept
        begin = np.cumsum(room) - room
        arena: dict[str, NDArray[np.generic]] = {}
        for name in _ARENA:
            array: NDArray[np.generic] = getattr(k, name)
            arena[name] = np.zeros(int(room.sum()) + spare, array.dtype)
            for c in range(len(room)):
                count = int(k.count[c])
                arena[name][begin[c] : begin[c] + count] = array[k.begin[c] : k.begin[c] + count]
        return k._replace(**arena, begin=begin, room=room.copy())
