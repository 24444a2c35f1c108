"""Topics: resolved, found again, subscribed to."""

from __future__ import annotations

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.errors import ConfigurationError
from devices.plant import Plant, parse
from devices.topics import TopicMap, check, check_template, fill, filters
from tests.devices.registries import changed, example


def names(plant: Plant, topic: str) -> tuple[str, str | None] | None:
    found = TopicMap(plant).find(topic)
    return None if found is None else (found[0].name, found[1].name if found[1] else None)


@pytest.mark.parametrize(
    ("topic", "expect"),
    [
        ("plant/acme/wuhu/pyro/k1/k1-kiln", ("k1-kiln", None)),
        ("plant/acme/wuhu/pyro/k1/k1-kiln/feed", ("k1-kiln", "feed")),
        ("plant/acme/wuhu/stack/tail/cems1/nox", ("cems1", "nox")),
        ("legacy/kiln1/coal", ("k1-coal", None)),
        ("legacy/kiln1/coal/TOT_1", ("k1-coal", "coal")),
        ("legacy/kiln1/coal/coal", None),
        ("plant/acme/wuhu/pyro/k1/k1-kiln/clinker", None),
        ("plant/acme/wuhu/pyro/k1/k1-kiln/feed/x", None),
        ("plant/acme/wuhu/pyro/k1", None),
        ("plant/acme/wuhu/pyro/k1/k1-coal", None),
        ("/plant/acme/wuhu/pyro/k1/k1-kiln", None),
        ("", None),
    ],
)
def test_find(topic: str, expect: tuple[str, str | None] | None) -> None:
    """A meter's own topic, a bare number below it by its field; derived channels never arrive."""
    assert names(example(), topic) == expect


def test_the_meter_above_an_unknown_channel() -> None:
    """An unknown channel is known to be of a known meter."""
    above = TopicMap(example()).above("plant/acme/wuhu/pyro/k1/k1-kiln/humidity")
    assert above is not None
    assert above.name == "k1-kiln"


def test_filters_cover_every_meter_once() -> None:
    """The template's fixed beginning, and each topic of one's own outside it."""
    assert filters(example()) == ("legacy/kiln1/coal/#", "plant/#")
    inside = parse(changed('topic = "legacy/kiln1/coal"', 'topic = "plant/old/coal"'))
    assert filters(inside) == ("plant/#",)
    bare = parse(changed("plant/{enterprise}", "{enterprise}"))
    assert filters(bare) == ("acme/#", "legacy/kiln1/coal/#")
    assert filters(parse("")) == ("plant/#",)


def test_a_stacks_meter_has_the_stack_in_the_lines_place() -> None:
    """Area `stack`, line = the stack's name."""
    template = "a/{line}-{area}/{meter}"
    assert fill(template, "e", "s", "stack", "tail", "m") == "a/tail-stack/m"


@given(st.text(max_size=12))
@hypothesis.example("greengauge")
def test_a_topic_is_refused_or_can_be_published(topic: str) -> None:
    """What passes has no wildcard, no empty level and nothing invisible."""
    publishable = bool(topic) and topic.isprintable() and not {"+", "#"} & set(topic) and all(topic.split("/"))
    try:
        assert check(topic) == topic
        assert publishable
    except ConfigurationError:
        ours = topic.split("/")[0] == "greengauge"
        assert not publishable or topic.startswith("$") or ours or {"{", "}"} & set(topic)


@pytest.mark.parametrize("template", ["x/{meter}/y", "{meter}-x", "x//{meter}", "$SYS/{meter}", "x/{site/{meter}"])
def test_templates_that_cannot_be(template: str) -> None:
    """The meter is the last level, and what stands before it is a topic."""
    with pytest.raises(ConfigurationError):
        check_template(template)
