"""Shared fixtures, and the rule of CI: nothing is skipped there."""

from __future__ import annotations

import os

import hypothesis
import pytest

# Time limits of examples measure who else is on the machine; a test that limits time says so itself.
hypothesis.settings.register_profile("shared machine", deadline=None)
hypothesis.settings.load_profile("shared machine")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a skipped test is a failed run: a missing server must not look like success."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("CI: nothing may be skipped here, and something was", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
