"""docs/regimes.md says what a regime may say: every key, and one registry a regime that loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devices.plant import parse
from devices.plant.averages import average
from devices.plant.flags import MEANINGS
from devices.plant.merge import profile, profile_names
from devices.plant.tables.regime import RegimeTable
from devices.plant.tables.stack import StackTable, SubstitutionTable

PAGE = (Path(__file__).parents[2] / "docs" / "regimes.md").read_text()
EXAMPLES = re.findall(r"## (\w+)\n\n```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def names(model: type[RegimeTable] | type[StackTable] | type[SubstitutionTable]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_key_of_a_regime_is_told() -> None:
    """A key without its row in the table, or a row without its key, is a mistake."""
    table = PAGE.split("## Keys of `[regime.NAME]`")[1].split("##")[0]
    told = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE))))
    assert told == names(RegimeTable)


def test_every_new_key_of_stacks_and_meters_is_told() -> None:
    """What a stack and its meters may say about mass, permits and backups; every rule and every meaning."""
    for word in (
        "permit",
        "substitution",
        "backup_of",
        "flow",
        "calibration",
        "watch",
        *names(SubstitutionTable),
        *MEANINGS,
    ):
        assert re.search(rf"\b{word}\b", PAGE), word


@pytest.mark.parametrize(("regime", "text"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_worked_registries_load(regime: str, text: str) -> None:
    """One registry a regime, as a reader would copy it; together they use every key."""
    plant = parse(text, file=regime)
    assert len(plant.stacks) == 1
    assert plant.stacks[0].regime in plant.regimes


def test_the_worked_registries_use_every_key() -> None:
    """A key that no example shows is one that nobody finds."""
    assert {name for name, _ in EXAMPLES} == {"China", "EU", "US"}
    whole = "".join(text for _, text in EXAMPLES)
    missing = {key for key in names(RegimeTable) if not re.search(rf"^{key} = ", whole, flags=re.MULTILINE)}
    assert missing == set()


def test_every_shipped_regime_has_a_source_and_a_date() -> None:
    """What was not read in its source says so; every regime says since when it holds."""
    found = {id_: table for name in profile_names() for id_, table in profile(name).get("regime", {}).items()}
    assert {"cn-cement-ultra-low", "eu-ied-co-incineration", "us-subpart-lll", "cn-sinter-ultra-low"} <= found.keys()
    for id_, table in found.items():
        assert table["from"], id_
        assert "recalled" in table["source"], id_
        assert [average(a) for a in table["averages"]], id_
