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
FIGURE = "greengauge-figure"


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """`figure("0 lost")`: a sentence with what was measured."""
    marker = request.node.get_closest_marker("fault")
    number = marker.args[0] if marker else 0
    properties = request.node.user_properties  # travel with the report, also from another process
    return lambda text: properties.append((FIGURE, f"{number:3}  {request.node.name}: {text}"))


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The figures of this run."""
    reports = [r for found in terminalreporter.stats.values() for r in found if isinstance(r, pytest.TestReport)]
    told = {text for report in reports for name, text in report.user_properties if name == FIGURE}
    if told:
        terminalreporter.section("the promise under faults: what was measured")
        for line in sorted(told):
            terminalreporter.write_line(line)
