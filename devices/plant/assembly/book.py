"""What every part of the building shares: the tables, the rows that names get, the mistakes so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from devices.errors import ConfigurationError
from devices.plant.mistakes import Mistakes
from devices.plant.model import Line, Site, Stack
from devices.plant.registry import Registry


@dataclass(slots=True)
class Book:
    """Filled from the bottom up: sites, lines, stacks, meters, channels. Rows are in the order of names, so that
    moving tables about in the file changes nothing.
    """

    registry: Registry
    mistakes: Mistakes
    sites: dict[str, Site] = field(default_factory=dict)
    site_rows: list[Site] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    stacks: dict[str, Stack] = field(default_factory=dict)
    meter_rows: dict[str, int] = field(default_factory=dict)
    channel_rows: dict[tuple[str, str], int] = field(default_factory=dict)
    implied: set[tuple[str, str]] = field(default_factory=set)  # ("product" or "material", id) that no table declares
    made: dict[str, set[str]] = field(default_factory=dict)  # line -> products that its channels count

    def knows(self, section: str, name: str, known: Iterable[str], table: str, key: str, where: str = "") -> bool:
        """Whether the name can be used. Notes it if it is nowhere; one that is declared but wrong is noted already."""
        names = known if isinstance(known, dict | set) else set(known)
        if name in names:
            return True
        if not self.registry.may_know(section, name):
            self.mistakes.unknown(table, key, section, name, names, where or f"[{section}.{name}]")
        return False

    def find_channel(self, text: str, table: str, key: str, meter: str = "") -> tuple[str, str] | None:
        """The channel called `text`: `meter.channel`, or its name alone on `meter`; notes it if there is none."""
        if meter and (meter, text) in self.registry.channels:
            return meter, text
        parts = text.split(".")
        splits = [(".".join(parts[:i]), ".".join(parts[i:])) for i in range(1, len(parts))]
        found = [pair for pair in splits if pair in self.registry.channels]
        if len(found) == 1:
            return found[0]
        if found:
            self.mistakes.add(table, key, f"`{text}` could be more than one channel", "rename one of their meters")
            return None
        if not self.registry.may_know("channel", text) and not self.registry.may_know("channel", f"{meter}.{text}"):
            near = {channel for m, channel in self.registry.channels if m == meter} if meter else set()
            known = near or {f"{m}.{c}" for m, c in self.registry.channels}
            self.mistakes.unknown(table, key, "channel", text, known)
        return None

    def noted(self, table: str, key: str, problem: ConfigurationError) -> None:
        """A mistake from a value that does not fit."""
        self.mistakes.take(table, key, problem)
