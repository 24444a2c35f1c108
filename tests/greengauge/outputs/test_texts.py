"""`Texts`: a scope's message is what the contract says, and only its ages are made anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devices.plant import load
from greengauge.live import Live
from greengauge.outputs.texts import Texts
from tests.greengauge.page.driver import ONE, emission, score

NOW = 1_763_800_001_000
LINE, STACK = "line:acme/wuhu/pyro/k1", "stack:acme/wuhu/tail"


@pytest.fixture
def live() -> Live:
    return Live(load(Path(ONE)), simulated=False)


def test_a_message_is_its_scope_s_objects(live: Live) -> None:
    """Score and emission objects as everywhere, at any moment: here five seconds apart."""
    things = [score(detail={"co2": 0.1, "power": 1e22}), score(degree="gd", value=None, reason="idle")]
    live.put_scores(things, [emission()], [])
    texts = Texts(live)
    for now in (NOW, NOW + 5_000):
        assert json.loads(texts.of(LINE, now)) == {"scores": [one.to_json(now, simulated=False) for one in things]}
        assert json.loads(texts.of(STACK, now)) == {"scores": [emission().to_json(now, simulated=False)]}


def test_a_newer_score_is_told_and_a_younger_one_is_younger(live: Live) -> None:
    """One window is looked at anew: its numbers are new, and the other window's age is its age."""
    live.put_scores([score(window="1h", value=0.5), score(window="24h", value=0.25)], [], [])
    texts = Texts(live)
    texts.of(LINE, NOW)
    live.put_scores([score(window="1h", value=0.75, last=NOW - 300)], [], [])
    told = {one["window"]: (one["value"], one["age"]) for one in json.loads(texts.of(LINE, NOW))["scores"]}
    assert told == {"1h": (0.75, 0.3), "24h": (0.25, 0.3)}


@pytest.mark.parametrize("reason", ['"age":null', 'a "quote", ü and \u2028', ""])
def test_whatever_the_words(live: Live, reason: str) -> None:
    """A reason that looks like the place where the age goes is a reason."""
    one = score(reason=reason)
    live.put_scores([one], [], [])
    assert json.loads(Texts(live).of(LINE, NOW)) == {"scores": [one.to_json(NOW, simulated=False)]}


def test_never_heard_has_no_age(live: Live) -> None:
    """No reading yet: null."""
    live.put_scores([score(last=None)], [], [])
    assert json.loads(Texts(live).of(LINE, NOW))["scores"][0]["age"] is None
