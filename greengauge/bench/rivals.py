"""The rivals of the rolling ratio, each as its own users would write it; Greengauge itself needs none of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.readings import I64
from greengauge.bench.measure import version
from scoring.windows.batch import F64


@dataclass(frozen=True, slots=True)
class Rival:
    """One package: `prepare(ts, numerator, denominator, window_ms, rows)` gives the call that is measured."""

    name: str
    goal: float  # how many times faster we want to be
    configuration: str
    prepare: Callable[[I64, I64, I64, int, int], Callable[[], F64]]

    @property
    def missing(self) -> bool:
        """Whether it is not installed here."""
        return version(self.name) == "missing"


def _pandas(ts: I64, numerator: I64, denominator: I64, window_ms: int, rows: int) -> Callable[[], F64]:  # noqa: ARG001 - one signature for all
    pandas: Any = importlib.import_module("pandas")
    frame = pandas.DataFrame({"n": numerator, "d": denominator}, index=pandas.to_datetime(ts, unit="ms"))

    def run() -> F64:
        sums = frame.rolling(f"{window_ms}ms").sum()
        return np.asarray(sums["n"] / sums["d"])

    return run


def _polars(ts: I64, numerator: I64, denominator: I64, window_ms: int, rows: int) -> Callable[[], F64]:  # noqa: ARG001 - one signature for all
    polars: Any = importlib.import_module("polars")
    frame = polars.DataFrame({"t": ts, "n": numerator, "d": denominator})
    frame = frame.with_columns(polars.from_epoch("t", time_unit="ms"))

    def run() -> F64:
        n, d = (polars.col(c).rolling_sum_by("t", f"{window_ms}ms") for c in "nd")
        return np.asarray(frame.select(n / d).to_series())

    return run


def _bottleneck(ts: I64, numerator: I64, denominator: I64, window_ms: int, rows: int) -> Callable[[], F64]:  # noqa: ARG001 - one signature for all
    bottleneck: Any = importlib.import_module("bottleneck")
    n, d = numerator.astype(np.float64), denominator.astype(np.float64)
    return lambda: np.asarray(bottleneck.move_sum(n, rows, min_count=1) / bottleneck.move_sum(d, rows, min_count=1))


def _numbagg(ts: I64, numerator: I64, denominator: I64, window_ms: int, rows: int) -> Callable[[], F64]:  # noqa: ARG001 - one signature for all
    numbagg: Any = importlib.import_module("numbagg")
    n, d = numerator.astype(np.float64), denominator.astype(np.float64)

    def run() -> F64:
        above = numbagg.move_sum(n, window=rows, min_count=1)
        return np.asarray(above / numbagg.move_sum(d, window=rows, min_count=1))

    run()  # compiles
    return run


RIVALS = (
    Rival("pandas", 10, "DataFrame.rolling(time).sum() of both columns, then /; by time, float64", _pandas),
    Rival("polars", 4, "select(rolling_sum_by(n) / rolling_sum_by(d)); by time, int64, all its threads", _polars),
    Rival("bottleneck", 1, "move_sum(n) / move_sum(d), min_count=1; by rows, float64", _bottleneck),
    Rival("numbagg", 1, "move_sum(n) / move_sum(d), min_count=1; by rows, float64, compiled before", _numbagg),
)
