"""How a connection ended, and what paho's words for it mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from paho.mqtt.reasoncodes import ReasonCode


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended."""

    kind: Literal["closed", "silent", "taken-over", "shutting-down", "ours"]
    cause: str


def ended_by(reason: ReasonCode, said: bool, keepalive: int) -> Ending:
    """The end that paho tells. `said`: the broker sent a DISCONNECT; `keepalive` in s."""
    if not said:
        if reason == "Keep alive timeout":  # its own watch over pings may be faster than ours: nobody closed it
            return Ending("silent", f"no answer to a ping for {keepalive} s")
        return Ending("closed", "the connection was closed")
    if reason == "Session taken over":
        return Ending("taken-over", "another client connected with the same client id")
    if reason == "Server shutting down":
        return Ending("shutting-down", "the broker is shutting down")
    return Ending("closed", f"the broker ended the connection: {reason}")
