"""The command `greengauge`. Verbs are thin: they read options, call one function, print, and set the exit code.

Exit codes: 0 good, 1 the check found something or the world failed, 2 bad usage or configuration.
Heavy imports wait until a verb needs them, so that `--help` and `check` answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from devices.errors import ConfigurationError, GreengaugeError, RegistryError
from greengauge.cli import bench, files, folder, live
from greengauge.running import StartAgain, hear

_verbs = typer.Typer(
    name="greengauge",
    help="Plant telemetry over MQTT, made durable, written to InfluxDB, scored live. Not a safety system.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for part in (live, files, folder):
    _verbs.add_typer(part.app)
_verbs.add_typer(bench.app, name="bench")


def _with_variables(command: Any) -> Any:
    """Every option also as GREENGAUGE_…, by its name. The command is click's, or that of typer's own copy of click."""
    for option in command.params:
        if option.param_type_name == "option":
            option.envvar = "GREENGAUGE_" + option.opts[0].removeprefix("--").upper().replace("-", "_")
    for below in getattr(command, "commands", {}).values():
        _with_variables(below)
    return command


app = _with_variables(typer.main.get_command(_verbs))


def main() -> None:
    """Entry point: errors a user can meet become one readable message and an exit code."""
    try:
        app()
    except RegistryError as wrong:
        for mistake in wrong.mistakes:
            _complain(str(mistake))
        _complain(f"{len(wrong.mistakes)} mistake(s); nothing was started")
        sys.exit(2)
    except ConfigurationError as wrong:
        _complain(str(wrong))
        sys.exit(2)
    except GreengaugeError as failure:
        _complain(str(failure))
        sys.exit(1)
    except StartAgain:
        hear()
        os.execv(sys.executable, [sys.executable, "-m", "greengauge", *sys.argv[1:]])  # noqa: S606 - ourselves
    except BrokenPipeError:  # the reader of our output has gone (`… | head`)
        sys.stderr.close()
        sys.exit(0)


def _complain(text: str) -> None:
    sys.stderr.write(f"greengauge: {text}\n")
