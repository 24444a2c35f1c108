"""Whose topic is it? Known topics by one look-up; for the others, the level at which they leave the plant."""

from __future__ import annotations

from functools import cached_property

from devices.foreign import shown
from devices.plant.model import Plant
from ingest.decode.faults import Fault

LONGEST = 1024
"""Bytes of a topic that may wait for approval; a registry has shorter ones."""

Target = tuple[int, int | None]
"""(meter, None) for a meter's own topic, (meter, channel) for …/{meter}/{channel field}."""


class Topics:
    """The topics of a plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._known: dict[bytes, Target] = {}
        for channel in plant.channels:
            if channel.source is None:
                topic = f"{plant.meters[channel.meter].topic}/{channel.field}"
                self._known[topic.encode()] = (channel.meter, channel.index)
        self._known |= {meter.topic.encode(): (meter.index, None) for meter in plant.meters}

    def find(self, topic: bytes) -> Target:
        """The meter, and the channel of a bare number. Raises `Fault`: bad-topic, or unknown and pending."""
        target = self._known.get(topic)
        if target is None:
            raise self._unknown(topic)
        return target

    def _unknown(self, topic: bytes) -> Fault:
        bad = _malformed(topic)
        if bad:
            return bad
        levels = topic.decode("utf-8").split("/")
        above = self._known.get(topic.rpartition(b"/")[0])
        if above is not None and above[1] is None:
            meter = self._plant.meters[above[0]].name
            return Fault(
                "unknown-channel",
                f"meter {shown(meter)} has no channel {shown(levels[-1])}",
                f"topic level {len(levels)}",
                f"add it to [meter.{meter}.channels], or stop publishing it",
                outcome="pending",
                names=(f"{meter}.{levels[-1][:128]}",),
            )
        level = self._leaves(levels)
        return Fault(
            "unknown-meter",
            f"no meter of the registry publishes here: {shown(levels[level - 1])} is not known",
            f"topic level {level}",
            "add the meter to the registry, or correct the topic in the device",
            outcome="pending",
            names=(topic.decode("utf-8"),),
        )

    @cached_property
    def _prefixes(self) -> frozenset[str]:
        splits = (known.decode().split("/") for known in self._known)
        return frozenset("/".join(levels[:n]) for levels in splits for n in range(1, len(levels) + 1))

    def _leaves(self, levels: list[str]) -> int:
        """The first level (from 1) from which on no known topic agrees."""
        for n in range(1, len(levels)):
            if "/".join(levels[:n]) not in self._prefixes:
                return n
        return len(levels)


def _malformed(topic: bytes) -> Fault | None:
    mend = (
        "correct the topic in the device: plant/{enterprise}/{site}/{area}/{line}/{meter} unless the registry differs"
    )
    try:
        text = topic.decode("utf-8")
    except UnicodeDecodeError as error:
        return Fault("bad-topic", "the topic is not UTF-8 text", f"topic byte {error.start}", mend)
    if len(topic) > LONGEST:
        return Fault("bad-topic", f"the topic has {len(topic):,} bytes, more than {LONGEST:,}", "topic", mend)
    levels = text.split("/")
    for number, level in enumerate(levels, start=1):
        if not level:
            return Fault("bad-topic", "a level of the topic is empty", f"topic level {number}", mend)
        if not level.isprintable():
            return Fault("bad-topic", f"{shown(level)} has an unprintable character", f"topic level {number}", mend)
    return None
