"""Whose topic is it? Known topics by one look-up; for the others, the level at which they leave the plant."""

from __future__ import annotations

from functools import cached_property

from devices.foreign import shown
from devices.plant.model import Plant
from devices.topics import TopicMap
from ingest.decode.faults import Fault

LONGEST = 1024
"""Bytes of a topic that may wait for approval; a registry has shorter ones."""

Target = tuple[int, int | None]
"""(meter, None) for a meter's own topic, (meter, channel) for …/{meter}/{channel field}."""


class Topics:
    """The topics of a plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant, self._map = plant, TopicMap(plant)
        self._known: dict[bytes, Target] = {}  # met so far; known ones only, so the plant bounds it

    def find(self, topic: bytes) -> Target:
        """The meter, and the channel of a bare number. Raises `Fault`: bad-topic, or unknown and pending."""
        target = self._known.get(topic)
        if target is None:
            target = self._known[topic] = self._find(topic)
        return target

    def _find(self, topic: bytes) -> Target:
        try:
            text = topic.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Fault("bad-topic", "the topic is not UTF-8 text", f"topic byte {error.start}", _MEND) from None
        found = self._map.find(text)
        if found is None:
            raise _malformed(text) or self._unknown(text)
        meter, channel = found
        return meter.index, None if channel is None else channel.index

    def _unknown(self, topic: str) -> Fault:
        levels = topic.split("/")
        meter = self._map.above(topic)
        if meter is not None:
            return Fault(
                "unknown-channel",
                f"meter {shown(meter.name)} has no channel {shown(levels[-1])}",
                f"topic level {len(levels)}",
                f"add it to [meter.{meter.name}.channels], or stop publishing it",
                outcome="pending",
                names=(f"{meter.name}.{levels[-1][:128]}",),
            )
        level = self._leaves(levels)
        return Fault(
            "unknown-meter",
            f"no meter of the registry publishes here: {shown(levels[level - 1])} is not known",
            f"topic level {level}",
            "add the meter to the registry, or correct the topic in the device",
            outcome="pending",
            names=(topic,),
        )

    @cached_property
    def _prefixes(self) -> frozenset[str]:
        splits = (meter.topic.split("/") for meter in self._plant.meters)
        return frozenset("/".join(levels[:n]) for levels in splits for n in range(1, len(levels) + 1))

    def _leaves(self, levels: list[str]) -> int:
        """The first level (from 1) from which on no known topic agrees."""
        for n in range(1, len(levels)):
            if "/".join(levels[:n]) not in self._prefixes:
                return n
        return len(levels)


_MEND = "correct the topic in the device: plant/{enterprise}/{site}/{area}/{line}/{meter}, or as the registry says"


def _malformed(topic: str) -> Fault | None:
    size = len(topic.encode())
    if size > LONGEST:
        return Fault("bad-topic", f"the topic has {size:,} bytes, more than {LONGEST:,}", "topic", _MEND)
    for number, level in enumerate(topic.split("/"), start=1):
        if not level:
            return Fault("bad-topic", "a level of the topic is empty", f"topic level {number}", _MEND)
        if not level.isprintable():
            return Fault("bad-topic", f"{shown(level)} has an unprintable character", f"topic level {number}", _MEND)
    return None
