"""A real mosquitto for one figure, with nothing in its way: no limits on queues, nothing kept on disk."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from greengauge.bench.intake.processes import Process, find, free_port

_CONFIG = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
log_type error
{user}
"""


class Mosquitto(Process):
    """One broker on a free port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        config = folder / "mosquitto.conf"
        user = f"user {os.environ.get('USER', 'root')}" if os.geteuid() == 0 else ""
        config.write_text(_CONFIG.format(port=self.port, user=user))
        super().__init__([find("mosquitto") or "mosquitto", "-c", config], folder, "mosquitto")
        try:
            self.until(self._listens, 20)
        except BaseException:
            self.end()
            raise

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.5).close()
        except OSError:
            return False
        return True
