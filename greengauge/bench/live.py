"""Figures: a line's degrees over six windows kept up to date each second, and what a late reading costs beside that."""

from __future__ import annotations

import numpy as np

from devices.durations import MINUTE, SECOND
from devices.plant.model import Plant
from devices.readings import Readings
from greengauge.bench.figures import Figures
from greengauge.bench.measure import cost
from greengauge.bench.plants import CHANNELS, Source, plant
from scoring.degrees.coverage import DEGREES
from scoring.engine import Engine
from scoring.reference.table import Comparison, Twin, cells

WARM = 90  # s, before anything is measured: kernels are compiled, every fast window but the hour is full
SECONDS = 30
BACKLOG = 60  # s of readings that come at once
MINUTES = 3
TWINS = 2
"""Lines that are compared with the twin, number by number."""


def live(figures: Figures, lines: int) -> None:
    """Every second: one reading of each channel goes in, and the board of all lines is asked for. Then a backlog: a
    minute of them goes in at once, and the board is asked for when it is in.
    """
    works = plant(lines, "1s")
    engine, source = Engine(works), Source(works)
    warm = [source.take(1) for _ in range(WARM)]
    _second_by_second(engine, warm)
    batches = [source.take(1) for _ in range(SECONDS)]
    took, _ = cost(lambda: _second_by_second(engine, batches))
    readings = SECONDS * len(works.channels)
    figures.say("live_lines", lines)
    figures.say("live_channels_a_line", CHANNELS)
    figures.say("live_windows", len(works.windows))
    figures.check("live_board_is_the_scores", good := _board_is_the_scores(works, engine), "board and scores", good)
    _against_the_twin(figures, "live", works, engine, [*warm, *batches])
    figures.say("live_cpu_ns", took.cpu / readings * 1e9)
    figures.reach("live_core_percent_1000_lines", took.cpu / SECONDS * 100_000 / lines, at_most=5)
    minutes = [source.take(BACKLOG) for _ in range(MINUTES + 1)]
    _second_by_second(engine, minutes[:1])
    behind, _ = cost(lambda: _second_by_second(engine, minutes[1:]))
    figures.check("live_backlog_board_is_the_scores", good := _board_is_the_scores(works, engine), "backlog", good)
    figures.reach("live_backlog_cpu_ns", behind.cpu / (MINUTES * BACKLOG * len(works.channels)) * 1e9, at_most=150)
    told, changes = cost(lambda: engine.advance())
    figures.say("live_told_scores", len(changes.scores))
    figures.say("live_told_cpu_us_a_score", told.cpu / max(1, len(changes.scores)) * 1e6)


def late(figures: Figures) -> None:
    """Meters' messages of the same size through the same engine, board included: in order, then late within grace."""
    works = plant(10, "1s")
    engine, source, pushed = Engine(works), Source(works), list[Readings]()

    def run(batches: list[Readings]) -> None:
        pushed.extend(batches)
        _second_by_second(engine, batches)

    run([source.take(1) for _ in range(20 * 60)])
    batches = [source.take(1) for _ in range(SECONDS)]
    in_order, _ = cost(lambda: run(batches))
    random = np.random.default_rng(2)

    def late_ones() -> list[Readings]:
        made = []
        for _ in range(SECONDS):
            batch = source.take(1)
            late_by = (
                random.integers(1, 15 * MINUTE // SECOND, len(works.lines)) * SECOND - SECOND // 2
            )  # between others
            back = np.repeat(late_by, CHANNELS)
            made.append(Readings.of(batch.channel, batch.ts - back, batch.value, received=batch.received))
        return made

    run(late_ones()[:2])
    batches = late_ones()
    behind, _ = cost(lambda: run(batches))
    readings = SECONDS * len(works.channels)
    figures.say("late_in_order_cpu_ns", in_order.cpu / readings * 1e9)
    figures.say("late_cpu_ns", behind.cpu / readings * 1e9)
    figures.check("late_board_is_the_scores", good := _board_is_the_scores(works, engine), "late: board, scores", good)
    _against_the_twin(figures, "late", works, engine, pushed)
    figures.reach("late_times_in_order", behind.cpu / in_order.cpu, at_most=3)


def _second_by_second(engine: Engine, batches: list[Readings]) -> None:
    for batch in batches:
        engine.push(batch)
        engine.board()


def _against_the_twin(figures: Figures, name: str, works: Plant, engine: Engine, pushed: list[Readings]) -> None:
    """Board and scores of a few lines beside the slow twin's, by the table that the tests use."""
    lines = range(min(TWINS, len(works.lines)))
    ids = {f"line:{works.lines[row].id}" for row in lines}
    comparison, twin = Comparison(), Twin(works, Readings.concat(pushed))
    comparison.add(twin, cells(works, engine.board(), lines))
    comparison.add(twin, (score for score in engine.live()[0] if score.scope in ids))
    figures.say(f"{name}_twin_numbers", comparison.compared.total())
    wrong = len(comparison.differences)
    figures.check(f"{name}_twin_differences", wrong, f"{name}: engine and twin", not wrong)


def _board_is_the_scores(works: Plant, engine: Engine) -> bool:
    """Whether the board's numbers are, bit for bit, those of the score objects."""
    board = engine.board()
    lines = {scope.id: scope.lines[0] for scope in works.scopes if scope.level == "line"}
    for score in engine.live()[0]:
        if score.level == "line":
            at = lines[score.scope], works.windows.index(score.window), DEGREES.index(score.degree)
            value = float("nan") if score.value is None else score.value
            told = (score.numerator, score.denominator, value)
            if not np.array_equal(told, (board.numerator[at], board.denominator[at], board.value[at]), equal_nan=True):
                return False
    return True
