"""`Texts`: what one scope's message says, as JSON. Only ages are new in each; the rest is written once."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic_core import to_json

from greengauge.live import Live
from scoring.results import Emission, Score, age_of

_AGE = b'"age":'
KEPT = 20_000
"""Texts kept, at about a kilobyte each: a larger plant's are shown more seldom, and written anew."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A score or emission in two pieces, between which its age goes."""

    thing: Score | Emission
    head: bytes
    tail: bytes


class Texts:
    """The messages' payloads; keeps the text of what is live (about a kilobyte each)."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._texts: dict[tuple[str, str, str], _Text] = {}

    def of(self, scope: str, now: int) -> bytes:
        """{"scores": [...]} of what is live of the scope; `now` (ms) makes the ages."""
        things = self._live.of_scope(scope)
        ages = {last: to_json(age_of(last, now)) for last in {last for _, last in things}}  # few: one meter's, mostly
        return b'{"scores":[' + b",".join(self._one(thing, ages[last]) for thing, last in things) + b"]}"

    def _one(self, thing: Score | Emission, age: bytes) -> bytes:
        key = (
            (thing.scope, thing.degree, thing.window)
            if isinstance(thing, Score)
            else (thing.scope, thing.pollutant, thing.average)
        )
        text = self._texts.get(key)
        if text is None or text.thing is not thing:
            text = self._split(thing)
            if key in self._texts or len(self._texts) < KEPT:
                self._texts[key] = text
        return text.head + age + text.tail

    def _split(self, thing: Score | Emission) -> _Text:
        body = thing.to_json(0, simulated=self._live.simulated)
        body["age"] = None
        whole = to_json(body, inf_nan_mode="null")  # a third of `json.dumps`' time
        head, age, tail = whole.partition(_AGE + b"null")  # in a text it would have its quotes escaped
        return _Text(thing, head + age[: len(_AGE)], tail)
