"""A publisher that keeps a ledger of what the broker acknowledged, and a count of it in a log."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ingest.log import Log
from ingest.log.record import RecordKind
from ingest.session.frames import split


class Ledger:
    """Publishes 0, 1, 2 … on plant/ledger at QoS 1 from its own thread; `acknowledged` holds the broker's PUBACKs."""

    def __init__(self, port: int, *, every: float = 0.001, size: int = 0) -> None:
        self.sent = 0
        self.acknowledged: set[int] = set()
        self._numbers: dict[int, int] = {}
        self._pubacks: deque[int] = deque()  # paho calls back under a lock that publish() wants: only noted there
        self._every, self._padding = every, b" " * size
        self._ending = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="ledger", clean_session=False)
        self._client.max_inflight_messages_set(500)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = lambda _client, _userdata, mid, *_rest: self._pubacks.append(mid)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, name="ledger")
        self._thread.start()

    def _run(self) -> None:
        while not self._ending.wait(self._every):
            info = self._client.publish("plant/ledger", b"%d" % self.sent + self._padding, qos=1)
            self._numbers[info.mid] = self.sent
            self.sent += 1
            self._book()

    def _book(self) -> None:
        while self._pubacks:
            self.acknowledged.add(self._numbers.pop(self._pubacks.popleft()))

    def finish(self) -> None:
        """Stop publishing and wait until the broker has acknowledged everything."""
        self._ending.set()
        self._thread.join()
        until = time.monotonic() + 20
        while len(self.acknowledged) < self.sent and time.monotonic() < until:
            time.sleep(0.02)
            self._book()
        self._client.disconnect()
        self._client.loop_stop()
        assert len(self.acknowledged) == self.sent


def logged(folder: Path) -> Counter[int]:
    """How often each number is in the log of a data folder that no process has open."""
    log = Log(folder)
    found: Counter[int] = Counter()
    position = 0
    while records := log.read(position, 1 << 20):
        for record in records:
            if record.entry.kind is RecordKind.FRAMES:
                found.update(int(bytes(f.payload)) for f in split(record.entry.body, record.entry.mqtt))
        position = records[-1].end
    assert not [damage for damage in log.damages() if damage.kind != "torn-tail"]
    log.close()
    return found
