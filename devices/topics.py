"""Topics: which one a meter publishes to, whose an incoming one is, and what to subscribe to.

template  plant/{enterprise}/{site}/{area}/{line}/{meter}
a line's meter    plant/acme/wuhu/pyro/k1/k1-kiln
a stack's meter   plant/acme/wuhu/stack/tail/cems1
a bare number     plant/acme/wuhu/pyro/k1/k1-kiln/feed
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devices import names
from devices.errors import ConfigurationError

if TYPE_CHECKING:
    from devices.plant.model import Channel, Meter, Plant

STACK_AREA = "stack"
OWN_PREFIX = "greengauge"
"""Where scores and alarms go out: no meter may publish there."""

LONGEST = 800
"""Bytes of a meter's topic; with a field behind it, it stays below the 1,024 that intake takes."""

_PLACES = ("enterprise", "site", "area", "line", "meter")
_PLACE = re.compile(r"\{([^{}]*)\}")


class TopicMap:
    """The reverse look-up: whose topic is this."""

    def __init__(self, plant: Plant) -> None:
        self._meters = {meter.topic: meter for meter in plant.meters}
        self._fields = {(c.meter, c.field): c for c in plant.channels if c.source is None}

    def find(self, topic: str) -> tuple[Meter, Channel | None] | None:
        """(meter, None) for a meter's own topic, (meter, channel) for `…/{meter}/{field}`, None for any other."""
        meter = self._meters.get(topic)
        if meter is not None:
            return meter, None
        meter = self.above(topic)
        channel = None if meter is None else self._fields.get((meter.index, topic.rpartition("/")[2]))
        return None if meter is None or channel is None else (meter, channel)

    def above(self, topic: str) -> Meter | None:
        """The meter one level above: whose unknown channel this would be."""
        return self._meters.get(topic.rpartition("/")[0])


def filters(plant: Plant) -> tuple[str, ...]:
    """Subscriptions that cover every meter, also ones not in the registry yet; none covers another."""
    static = plant.intake.topic.partition("{")[0].rpartition("/")[0]
    wanted = {f"{static}/#"} if static else {f"{m.topic.split('/')[0]}/#" for m in plant.meters}
    wanted |= {f"{m.topic}/#" for m in plant.meters}  # `x/#` is `x` and all below it
    return tuple(sorted(f for f in wanted if not _covered(f, wanted)))


def fill(template: str, enterprise: str, site: str, area: str, line: str, meter: str) -> str:
    """The template with its places filled. A stack's meter has area `stack`, and its stack in the line's place."""
    filled = dict(zip(_PLACES, (enterprise, site, area, line, meter), strict=True))
    return _PLACE.sub(lambda place: filled[place[1]], template)


def check_template(template: str) -> str:
    """The template itself; ConfigurationError if a place in it is not known or meters could not be told apart."""
    for place in _PLACE.findall(template):
        if place not in _PLACES:
            raise ConfigurationError(f"there is no `{{{place}}}`", mend=f"use {', '.join(f'{{{p}}}' for p in _PLACES)}")
    if "{meter}" not in template:
        raise ConfigurationError("`{meter}` is missing, so meters could not be told apart", mend="end it in `/{meter}`")
    if not template.endswith("/{meter}") and template != "{meter}":
        mend = "end it in `/{meter}`: a bare number arrives one level below"
        raise ConfigurationError("the meter is not the last level", mend=mend)
    check(_PLACE.sub("x", template))
    return template


def check(topic: str) -> str:
    """The topic itself; ConfigurationError if MQTT does not allow it or it is ours."""
    mend = "write it like `legacy/kiln1/coal`"
    if not topic:
        raise ConfigurationError("a topic is empty", mend=mend)
    for letter, why in (
        ("+", "`+` is a wildcard"),
        ("#", "`#` is a wildcard"),
        ("{", "only the template has places"),
        ("}", "only the template has places"),
    ):
        if letter in topic:
            raise ConfigurationError(f"the topic {names.shown(topic)} cannot be used: {why}", mend=mend)
    if not topic.isprintable():
        raise ConfigurationError(f"the topic {names.shown(topic)} has a character that cannot be seen", mend=mend)
    if "" in topic.split("/"):
        raise ConfigurationError(
            f"a level of the topic `{topic}` is empty", mend="write no `/` at its ends and no `//`"
        )
    if topic.startswith("$"):
        raise ConfigurationError(f"the topic `{topic}` is one of the broker's own", mend=mend)
    if topic.split("/")[0] == OWN_PREFIX:
        raise ConfigurationError(f"`{OWN_PREFIX}/` is where scores go out", mend=mend)
    if len(topic.encode()) > LONGEST:
        raise ConfigurationError(f"the topic is longer than {LONGEST} bytes", mend="shorten it")
    return topic


def _covered(wanted: str, by: set[str]) -> bool:
    levels = wanted.removesuffix("/#").split("/")
    return any("/".join(levels[:i]) + "/#" in by for i in range(1, len(levels)))
