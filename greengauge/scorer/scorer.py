"""`Scorer`: from the log through the engine to what is true now and what became known.

It never waits for the store. All engine work runs in the one thread of its own executor, in slices short
enough that gauges stay live and stopping is quick while a backlog is worked off. What became known is in the
history before the position that a snapshot is bound to moves past it; while the history cannot be written it waits in
memory, as much as `UNKEPT`, and gauges and alarms go on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from devices.errors import EnvironmentFailure
from devices.plant.model import Meter, Plant
from greengauge.history import History
from greengauge.live import Live
from greengauge.restating.restating import Restating
from greengauge.scorer import snapshots
from greengauge.scorer.log_work import READ_BYTES, LogWork
from greengauge.scorer.resuming import start_of
from greengauge.scorer.showing import Showing, Shown
from ingest.decode.result import Decoded
from ingest.log.record import Record
from scoring.restate import Past
from scoring.results import Alarm, Changes, ChannelSum, Emission, Energy, Score
from scoring.state import Buffer
from scoring.why import Why

log = structlog.get_logger()

T = TypeVar("T")

SLICE_S = 0.1
"""How long the engine's thread works before anybody else is heard."""
CLOSE_S = 0.02
"""… and how long, where all is taken in, at steps that close: gauges are looked at in between."""
GATHER_S = 0.01
"""What comes in within so long after a slice began is taken in together: a slice costs more than a reading."""
FEW = 10
BREATH_S = 0.03
"""So few steps are closed with pauses in between, in which what they tell goes on its way to pages, MQTT and store."""
TELL_S = 1.0
"""How often it says how far it is."""
RESTATE_S = 0.05
"""... and how long, in between, at what is told anew: gauges come first."""
RESTATE_EVERY_S = 0.25
"""How often it looks whether there is anything to tell anew; where there is, it goes on."""
FILLING_S = 0.05
RETRY_S = 0.5
"""How long after the history could not be written it is tried again."""
COPIED = 128 << 20
"""Bytes of state that are copied to be written beside the engine's work: the disk takes half a second. More is written
in its thread: a copy would double the memory of a large plant."""
UNKEPT = 100_000
"""Scores and emissions that may wait for it; beyond that nothing is taken in, or memory would grow with the log."""


class Scorer:
    """Owns the engine; everything that wants it asks here."""

    def __init__(
        self,
        plant: Plant,
        *,
        read: Callable[[int, int], Sequence[Record]],
        more: Callable[[int], Awaitable[None]],
        durable: Callable[[], int],
        decode: Callable[[Sequence[Record]], Decoded],
        start: int,
        history: History,
        live: Live,
        past: Past,
        snapshot_path: Path,
        latest: int | None = None,
        moved: Callable[[int], None],
        snapshot_every_s: float,
        snapshot_every_bytes: int,
    ) -> None:
        """`read`, `more` and `durable` are the log's; `moved(position)` is told of each saved snapshot.

        `past` gives readings of the past again, for restating. A snapshot is due after so many seconds, or bytes of
        log, whichever comes first: until then the log is kept. A snapshot of a time after `latest` (ms) is of none.
        """
        self.plant, self.history, self.live = plant, history, live
        self._more, self._durable, self._moved = more, durable, moved
        self._snapshot_path, self._snapshot_every_s = snapshot_path, snapshot_every_s
        self._snapshot_every_bytes = snapshot_every_bytes
        self._thread = ThreadPoolExecutor(1, "scorer")
        self._ended = False
        self._passed = asyncio.Condition()
        self._saving = asyncio.Lock()
        self._unkept: deque[Changes] = deque()  # told by the engine, not yet in the history
        self._unkept_things = 0
        self._shown_unread = 0  # bytes of log that had still to be read when what is shown was made
        self._keep_again = 0.0  # not before this, by the monotonic clock
        self._energies: tuple[tuple[int, int], list[Energy]] = (-1, -1), []  # at that clock and position
        self._trouble: dict[str, str] = {}  # "history", "snapshot" -> why it cannot be written now
        begin = start_of(plant, snapshot_path, start, durable(), anew=history.renewed and start == 0, latest=latest)
        self._saved, self.engine, self._alarms = begin.position, begin.engine, begin.alarms
        self._restating = Restating(plant, history, past)
        self._showing = Showing(plant, self.engine)
        self._log = LogWork(
            self.engine, self._saved, read=read, decode=decode, ask=self._restating.ask, heard=self._showing.hear
        )
        self._meters = [(meter.name, self._scope_of(meter)) for meter in plant.meters]
        self.filled = (
            asyncio.Event()
        )  # until then history is on its way: taken in first, then steps close and gauges show
        self.filled.set()

    @property
    def position(self) -> int:
        """Up to where the log is taken in."""
        return self._log.position

    # --- asked by others ------------------------------------------------------------------------

    async def sums(self, ts: int | None, windows: Iterable[int], channels: Sequence[int]) -> list[ChannelSum]:
        """Sums of channels over windows (rows) at `ts` (default: now), with room for other work between two windows."""
        at = self.engine.clock if ts is None else ts
        each = [await self._do(partial(self.engine.sums, at, [window], channels)) for window in windows]
        return [one for found in each for one in found]

    async def why(self, scope: str, degree: str, window: str, at: int | None, before: int | None) -> Why:
        """Why a degree moved between two windows within the engine's horizon."""
        return await self._do(lambda: self.engine.why(scope, degree, window, at, before))

    async def energies(self) -> list[Energy]:
        """The specific energies of the open step: made when asked for, and anew when something came."""

        def look() -> list[Energy]:
            now = self.engine.clock, self.position
            if self._energies[0] != now:
                found: list[Energy] = []
                self.engine.live(found)
                self._energies = now, found
            return self._energies[1]

        return await self._do(look)

    async def at(self, ts: int) -> tuple[list[Score], list[Emission]]:
        """Scores and emissions at one moment within the engine's horizon."""
        return await self._do(lambda: self.engine.at(ts))

    async def alarms(self) -> list[Alarm]:
        """Every alarm's present state."""
        return await self._do(lambda: self.engine.alarms())

    async def passed(self, position: int) -> str | None:
        """Wait until the record that ends at `position` is applied; why it was refused, if it was."""
        async with self._passed:
            await self._passed.wait_for(lambda: self.position >= position)
        return self._log.refusals.pop(position, None)

    async def behind(self) -> int:
        """Closed steps that are not scored yet."""
        return await self._do(self.engine.behind)

    async def heard(self) -> int:
        """Up to where every meter has been heard (event time, ms); 0 if one has not."""
        return await self._do(lambda: min((last or 0 for last, _ in self.engine.meters()), default=0))

    @property
    def troubles(self) -> dict[str, str]:
        """What cannot be written now ("history", "snapshot"), and why."""
        return dict(self._trouble)

    # --- the task -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until cancelled; the state is saved on the way out."""
        saved = restated = told = 0.0
        saving: asyncio.Task[None] | None = None
        behind = 0
        try:
            while True:
                begun = time.monotonic()
                working = asyncio.ensure_future(self._do(self._slice))
                while not (await asyncio.wait({working}, timeout=TELL_S))[0]:  # kernels compile, a gap is closed
                    self._tell(behind)
                took, behind, shown = working.result()
                if took:
                    async with self._passed:
                        self._passed.notify_all()
                if shown is not None:
                    self._put(shown)
                now = time.monotonic()
                if now - told >= TELL_S or (shown is not None and shown.meters is not None):
                    told = now
                    self._tell(behind)
                many = self.position - self._saved >= self._snapshot_every_bytes
                pause = min(RETRY_S, self._snapshot_every_s) if many else self._snapshot_every_s
                if now - saved >= pause and self.position > self._saved and (saving is None or saving.done()):
                    if saving is not None:
                        saving.result()  # a mistake is heard
                    saved = now
                    saving = asyncio.create_task(self._save(), name="scorer: snapshot")
                idle = self.filled.is_set() and not (behind or self._unkept)
                caught_up = idle and self._at_hand
                if caught_up and now - restated >= RESTATE_EVERY_S:
                    if await self._do(self._restate):
                        continue
                    restated = now
                if 0 < behind <= FEW and self._at_hand:
                    await asyncio.sleep(BREATH_S)
                elif took and caught_up:
                    await asyncio.sleep(begun + GATHER_S - time.monotonic())
                elif not took and not (behind and self.filled.is_set()):
                    await self._idle(self._showing.rest() if self.filled.is_set() else FILLING_S)
        except asyncio.CancelledError:  # after a failure the state is not whole: the snapshot before it stays
            await asyncio.shield(self._save())
            raise
        finally:
            self._ended = True
            self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        """Run engine work in its thread: one piece after another, also after a cancellation."""
        if self._ended:
            raise EnvironmentFailure("scoring has stopped", where="this service", mend="see its alarm, start again")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _slice(self) -> tuple[bool, int, Shown | None]:
        """Work for a moment and keep what became known: (anything taken in, steps behind, what is to be shown)."""
        until = time.monotonic() + SLICE_S
        took, changes = False, Changes()
        if not self.held:
            while time.monotonic() < until and self._log.step():
                took = True
                self._take_over_alarms()
            left = max(0.0, until - time.monotonic())
            if self._at_hand:
                left = min(left, CLOSE_S)
            changes = self.engine.advance(left if self.filled.is_set() else 0.0)
        if self._alarms is not None:  # these were told under the registry before
            changes = replace(changes, alarms=())
        if changes:
            self._unkept.append(changes)
            self._unkept_things += len(changes.scores) + len(changes.emissions)
        self._keep()
        shown = None
        if self.filled.is_set():
            unread = max(0, self._durable() - self.position)
            shown = self._showing.look(alarmed=bool(changes.alarms), unread=unread)
        return took, 0 if self.held else self.engine.behind(), shown

    def _take_over_alarms(self) -> None:
        """Once all is taken in that an older registry's snapshot knew: alarms stand as they stood there."""
        if self._alarms is None or self.position < self._alarms.position:
            return
        try:
            self.engine.adopt_alarms(self._alarms.state)
        except ValueError as odd:
            log.warning("alarms.not_taken_over", cause=str(odd), mend="they stand as the log tells them")
        self._alarms = None

    @property
    def _at_hand(self) -> bool:
        """Whether one read brings all of the log that is not taken in."""
        return self._durable() - self.position <= READ_BYTES

    @property
    def held(self) -> bool:
        """Whether so much waits for the history that nothing more is taken in."""
        return self._unkept_things >= UNKEPT

    def _keep(self) -> None:
        """Put into the history what became known, in order; what the disk does not take now is tried again soon."""
        if not self._unkept or time.monotonic() < self._keep_again:
            return
        try:
            while self._unkept:
                self.history.add(self.history.settle(self._unkept[0]))
                self._unkept.popleft()
        except EnvironmentFailure as failure:
            self._in_trouble("history", failure)
            self._keep_again = time.monotonic() + RETRY_S
        else:
            self._trouble.pop("history", None)
        self._unkept_things = sum(len(c.scores) + len(c.emissions) for c in self._unkept)

    def _in_trouble(self, what: str, failure: EnvironmentFailure) -> None:
        if failure.cause != self._trouble.get(what):
            log.error("scores.not_kept", what=what, cause=failure.cause, where=failure.where, mend=failure.mend)
        self._trouble[what] = failure.cause

    def _restate(self) -> bool:
        """Work for a moment at what is told anew; whether there was anything."""
        try:
            worked = self._restating.step(self.engine, RESTATE_S)
        except EnvironmentFailure as failure:
            self._in_trouble("restating", failure)
            return False
        self._trouble.pop("restating", None)
        return worked

    def _put(self, shown: Shown) -> None:
        self.live.clock = shown.clock
        self.live.put_scores(shown.scores, shown.emissions, shown.alarms)
        if shown.meters is None:
            return
        self.live.put_meters(
            {
                name: {"last": last, "silent": silent, "scope": scope}
                for (name, scope), (last, silent) in zip(self._meters, shown.meters, strict=True)
            }
        )
        self._shown_unread = shown.unread

    def _tell(self, behind: int) -> None:
        """How far scoring is, once a second. "ok" is said of what is shown, too: no round that began far behind."""
        unread = max(0, self._durable() - self.position, self._shown_unread)
        late = [f"{unread / 1e6:.1f} MB of log to read"] if unread > READ_BYTES else []
        late += [f"{behind} earlier steps to close"] if behind else []
        late += list(self._trouble.values())
        late += ["nothing is taken in until the history can be written"] if self.held else []
        self.live.put_system("scoring", {"behind": behind, "unread": unread, "text": ", ".join(late) or "ok"})
        self.live.put_system("restating", self._restating.state())

    def _scope_of(self, meter: Meter) -> str:
        if meter.stack is not None:
            return f"stack:{self.plant.stacks[meter.stack].id}"
        return f"line:{self.plant.lines[meter.line].id}" if meter.line is not None else ""

    async def _save(self) -> None:
        """Save the state, one after another. The disk is waited for beside the engine's work."""
        async with self._saving:
            taken = await self._do(self._state)
            if taken is not None:
                await asyncio.to_thread(self._write, *taken)

    def _state(self) -> tuple[int, Sequence[Buffer]] | None:
        """Position and state to be written; None where there is none, or it is written already."""
        self._keep()
        if self._log.begun or self._unkept or not self._restating.durable:
            return None  # in the midst of it: the snapshot before stays, the log tells it again
        state, position = self.engine.state(), self.position
        if sum(map(len, state)) <= COPIED:
            return position, [bytes(piece) for piece in state]
        self._write(position, state)
        return None

    def _write(self, position: int, state: Sequence[Buffer]) -> None:
        try:
            self.history.sync()  # what the snapshot implies must not be behind it on disk
            snapshots.save(self._snapshot_path, self.plant.version, position, *state)
            self._moved(position)
        except EnvironmentFailure as failure:
            self._in_trouble("snapshot", failure)
            return
        self._trouble.pop("snapshot", None)
        self._saved = position

    async def _idle(self, seconds: float) -> None:
        if self.held:
            await asyncio.sleep(RETRY_S)
            return
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._more(self.position)
        except TimeoutError:
            pass
