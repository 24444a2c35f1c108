"""Fixtures of the fault tests, and the figures they measure, printed at the end (docs/reliability.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.system.faults.meters import Meters
from tests.system.influx import influx, influx_server  # noqa: F401 - fixtures
from tests.system.mosquitto import mosquitto  # noqa: F401 - a fixture
from tests.system.running import Running

Figure = Callable[[str], None]
After = list[Running | Meters]
FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """`figure("0 lost")`: a sentence with what was measured."""
    marker = request.node.get_closest_marker("fault")
    number = marker.args[0] if marker else 0
    told = request.config.stash.setdefault(FIGURES, [])
    return lambda text: told.append(f"{number:3}  {request.node.name}: {text}")


@pytest.fixture
def after() -> Iterator[After]:
    """What is put in here is ended after the test, however it went."""
    things: After = []
    yield things
    for thing in things:
        if isinstance(thing, Running):
            thing.kill()
        else:
            thing.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures of this run."""
    if told := config.stash.get(FIGURES, []):
        terminalreporter.section("the promise under faults: what was measured")
        for line in sorted(told):
            terminalreporter.write_line(line)
