"""Filters of the API: one that names nothing here is refused, with what may have been meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, get_args

from devices.plant.assembly.regimes import averages_of
from devices.plant.model import Plant
from devices.words import listed, suggestion
from greengauge.page.answers import Refusal
from scoring.degrees import DEGREES
from scoring.degrees.coverage import ENERGIES
from scoring.results import AlarmCondition
from scoring.stacks.compiling import compile_stack


class Filters:
    """Of one plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.scopes = [scope.id for scope in plant.scopes]
        self.stacks = [f"stack:{stack.id}" for stack in plant.stacks]

    def fitting(self, things: Iterable[Any], asked: Mapping[str, str | None], *, scopes: Sequence[str]) -> list[Any]:
        """The things whose attributes are as asked (None or empty: any). Refusal as in `judge`."""
        wanted = {name: value for name, value in asked.items() if value}
        found = [thing for thing in things if all(getattr(thing, name) == value for name, value in wanted.items())]
        if not found:
            self.judge(asked, scopes=scopes)
        return found

    def sums(self, asked: Mapping[str, str | None]) -> tuple[list[int], list[int]]:
        """Rows of the windows and of the channels that are asked for; Refusal as in `judge`."""
        plant, window, meter, name = self._plant, asked.get("window"), asked.get("meter"), asked.get("channel")
        windows = [row for row, text in enumerate(plant.windows) if window in (None, "", text)]
        meters = [m for m in plant.meters if meter in (None, "", m.name)]
        channels = sorted(c for m in meters for c in m.channels if name in (None, "", plant.channels[c].name))
        if not windows or not channels:
            self.judge(asked, scopes=())
        return windows, channels

    def judge(self, asked: Mapping[str, str | None], *, scopes: Sequence[str]) -> None:
        """Nothing was found by these: Refusal for the first that names nothing there is, of `scopes` or the plant's.

        Only then: the history may hold what the registry knows no more.
        """
        for name, value in asked.items():
            known = scopes if name == "scope" else self._names(name, asked)
            if value and value not in known:
                refuse(name, value, list(dict.fromkeys(known)))

    def _names(self, name: str, asked: Mapping[str, str | None]) -> Sequence[str]:
        plant = self._plant
        stacks = [s for s in plant.stacks if asked.get("scope") in (None, "", f"stack:{s.id}")]
        if name == "pollutant":
            return [p.name for stack in stacks for p in compile_stack(plant, stack).pollutants]
        if name == "average":
            return [a for stack in stacks for a in averages_of(plant.regimes[stack.regime][-1])]
        if name == "channel":
            meters = [m for m in plant.meters if asked.get("meter") in (None, "", m.name)]
            return [plant.channels[c].name for m in meters for c in m.channels]
        return {
            "degree": DEGREES,
            "energy": ENERGIES,
            "window": plant.windows,
            "product": list(plant.products),
            "meter": [meter.name for meter in plant.meters],
            "state": get_args(AlarmCondition),
        }[name]


def refuse(name: str, value: str, known: Sequence[str]) -> NoReturn:
    """400, with what may have been meant."""
    mend = suggestion(value, known) or (f"use one of {listed(known)}" if known else "leave it out")
    raise Refusal(400, f"there is no {name} {value!r} here", where=name, mend=mend)
