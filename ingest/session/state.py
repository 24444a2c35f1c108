"""What page and metrics show of the session."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT_LOSSES = 100


@dataclass(frozen=True, slots=True)
class Loss:
    """Messages may be missing that were published in start <= t <= end (ms): the broker may have lost its queue."""

    start: int  # the last bytes from the broker before; 0 if this process saw none
    end: int  # when the session was back
    cause: str  # "session-lost", "broker-restart" or "connection-closed", which a restart can look like


@dataclass(slots=True)
class SessionState:
    """The session as it stands. Written by the session, read by anyone on the same event loop."""

    broker: str  # for people, without a password
    connected: bool = False
    since: int = 0  # ms, of the present connection, or since when there is none
    protocol: str = ""  # "MQTT 5", "MQTT 3.1.1"
    session_present: bool = False
    cause: str = "not connected yet"  # why there is no connection
    mend: str = ""
    reconnects: int = 0
    short_sessions: int = 0  # in a row, each under a minute and ended by the broker
    takeover: bool = False  # another client probably uses our client id
    refused: list[str] = field(default_factory=list)  # topic filters the broker would not let us have
    paused: bool = False  # reading is stopped on purpose: what arrived is not durable yet
    messages: int = 0
    bytes: int = 0
    unguaranteed: int = 0  # messages at QoS 0
    last_heard: int = 0  # ms, of the last bytes from the broker
    losses: list[Loss] = field(default_factory=list)  # the newest hundred
    possible_losses: int = 0  # of all time

    def lost(self, loss: Loss) -> None:
        """Note a possible loss."""
        self.possible_losses += 1
        self.losses.append(loss)
        del self.losses[:-KEPT_LOSSES]

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.connected:
            return f"no connection to {self.broker}: {self.cause}"
        if self.refused:
            return f"{self.broker} refuses the subscription to {', '.join(self.refused)}"
        if self.takeover:
            return f"connected, but another client seems to use the same client id at {self.broker}"
        return f"connected to {self.broker} ({self.protocol})" + (", reading paused" if self.paused else "")
