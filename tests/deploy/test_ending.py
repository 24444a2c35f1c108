"""Who ends the service: it ends itself before anybody kills it, so that its state is saved on the way out."""

from __future__ import annotations

import re

from greengauge.running import ENDING_S
from tests.deploy.files import DEPLOY

SPARE_S = 3.0
"""For Python's own end, after ours."""


def test_systemd_and_compose_wait_for_longer_than_an_end_may_take() -> None:
    """Otherwise SIGKILL comes while a snapshot is being written."""
    unit = (DEPLOY / "systemd/greengauge.service").read_text()
    compose = (DEPLOY.parent / "docker-compose.yml").read_text()
    waits = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE) + re.findall(
        r"stop_grace_period: (\d+)s", compose
    )
    assert len(waits) >= 2
    assert all(int(wait) >= ENDING_S + SPARE_S for wait in waits)
    assert ENDING_S >= 10, "a large plant's snapshot takes seconds"
