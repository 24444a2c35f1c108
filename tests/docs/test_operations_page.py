"""docs/operations.md: every setting there is, none that there is not, with its default; every alarm has an answer."""

from __future__ import annotations

import re
from pathlib import Path

from greengauge.settings import Settings

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "operations.md").read_text()
SECTION = PAGE.split("## Settings")[1].split("\n## ")[0]
LINES = [line for line in SECTION.splitlines() if line.startswith("| `")]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in LINES]
SECRETS = ("INFLUX_TOKEN", "BROKER_PASSWORD", "PAGE_TOKEN")
NOT_SETTINGS = {"GREENGAUGE_CONFIG", *(f"GREENGAUGE_{name}_FILE" for name in SECRETS)}


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_setting_is_documented_and_no_other() -> None:
    """The table's first column is the fields of `Settings`, each once, each with its environment name beside it."""
    told = [name for row in ROWS for name in words(row[0])]
    assert sorted(told) == sorted(Settings.model_fields)
    for row in ROWS:
        assert words(row[1]) == [f"GREENGAUGE_{name.upper()}" for name in words(row[0])]
        assert row[3], row[0]


def test_no_other_variable_is_named() -> None:
    """Nothing on the page that does not exist."""
    known = {f"GREENGAUGE_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    assert set(re.findall(r"GREENGAUGE_\w+", PAGE)) <= known


def test_defaults_are_those_of_the_code() -> None:
    """A default that is a word or number stands there as the code has it; those without say so."""
    for row in ROWS:
        for name in words(row[0]):
            default = Settings.model_fields[name].get_default()
            if default is None:
                assert not words(row[2]), name
            elif name != "data":  # this user's own
                told = words(row[2])[0]
                assert told == str(default) or float(told) == float(default), name


def test_every_alarm_of_the_service_has_an_answer() -> None:
    """Each id of docs/alarms.md, but for those whose text is the answer, stands in "What to do when"."""
    section = (DOCS / "alarms.md").read_text().split("## The service's own alarms")[1]
    ids = {found for line in section.splitlines() if line.startswith("| `") for found in words(line.split("|")[1])}
    answers = PAGE.split("## What to do when")[1]
    said = {"log-not-writable", "log-undeletable", "names-refused", "meters-silent"}
    alike = ("-not-writable", "-stopped")
    missing = {i for i in ids - said if f"`{i}`" not in answers and not i.endswith(alike)}
    assert missing == set()
    assert all(f"`…{ending}`" in answers for ending in alike)


def test_the_readme_leads_there() -> None:
    """Nobody finds a page that nothing links."""
    assert "docs/operations.md" in (DOCS.parent / "README.md").read_text()
