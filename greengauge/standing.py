"""A part that meets a mistake of ours stops alone: readings go on being made durable, and everybody is told.

The log keeps what the part has not handled (its cursor stands), so nothing is lost: once the program is mended a start
takes it up where it stood.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import structlog

from ingest.decode.internal import place, unexpected

log = structlog.get_logger()


class Standing:
    """Which parts stand, and why."""

    def __init__(self) -> None:
        self.stopped: dict[str, str] = {}
        """Part, by the name that its state has on the page → what happened, in a few words."""

    async def alone(self, part: str, work: Coroutine[Any, Any, None]) -> None:
        """Do `work`; a mistake in the program ends it and no other part. Troubles of the machine are raised."""
        try:
            await work
        except Exception as failure:
            if not unexpected(failure):
                raise
            self.stopped[part] = place(failure, part, "it stands, everything else goes on")

    def state(self, part: str, told: dict[str, Any]) -> dict[str, Any]:
        """A part's own state, or that it stands."""
        cause = self.stopped.get(part)
        return told if cause is None else {**told, "state": "stopped", "text": f"stopped: {in_words(cause)}"}


def in_words(cause: str) -> str:
    """For people: what happened and what is safe."""
    return f"a mistake in greengauge ({cause}); readings are still kept, a start takes it up where it stands"
