"""Every option may also be said as GREENGAUGE_…, by its own name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from greengauge.cli import app

STEEL = Path(__file__).parents[2] / "docs/examples/circular-degree"


def verbs(command: Any, name: str = "") -> dict[str, Any]:
    """All of them, by what is typed."""
    below = getattr(command, "commands", {})
    return {k: v for n, c in below.items() for k, v in verbs(c, f"{name} {n}".strip()).items()} or {name: command}


def test_every_option_of_every_command_has_its_variable() -> None:
    """The variable is the option's name, upper case, with underscores; `--help` shows it."""
    told = {}
    for name, command in verbs(app).items():
        for option in command.params:
            if option.param_type_name == "option":
                told[f"{name} {option.opts[0]}"] = option.envvar
    assert told == {place: "GREENGAUGE_" + place.rpartition("--")[2].upper().replace("-", "_") for place in told}
    assert {"replay --known-at", "recompute --reason", "quarantine list --limit", "verify --from"} <= set(told)


def test_a_variable_is_the_option(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`replay` with `--sums` and `--json` from the environment prints sums."""
    monkeypatch.setenv("GREENGAUGE_SUMS", "1")
    monkeypatch.setenv("GREENGAUGE_JSON", "1")
    with pytest.raises(SystemExit) as end:
        app(["replay", str(STEEL / "plant.toml"), str(STEEL / "readings.csv")])
    assert not end.value.code
    assert "sum" in json.loads(capsys.readouterr().out.splitlines()[0])
