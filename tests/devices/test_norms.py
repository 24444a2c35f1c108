"""`[[norm]]`: read in the units that scoring counts in, dated, merged with profiles; every mistake with its mend."""

from __future__ import annotations

# ruff: noqa: E501 – one case a row
from datetime import date
from fractions import Fraction

import pytest

from devices.plant import parse
from tests.devices.registries import EXAMPLE, example, mistakes

NORM = """
[[norm]]
id = "own"
product = "clinker"
unit = "kgce/t"
levels = [100, 107, 117]
electricity = "0.1229 kgce/kWh"
source = "test"
"""


def test_the_profiles_bring_the_standards() -> None:
    """GB 16780-2021 and GB 21256-2025, with the numbers of domain.md §2 and §3."""
    norms = {id_: [float(level) for level in entries[-1].levels] for id_, entries in example().norms.items()}
    assert norms == {
        "GB 16780-2021 clinker": [100, 107, 117],
        "GB 16780-2021 clinker power": [48, 57, 61],
        "GB 16780-2021 cement": [80, 87, 94],
        "GB 21256-2025 blast furnace": [361, 370, 415],
        "GB 21256-2025 converter": [-30, -28, -12],
        "GB 21256-2025 electric furnace": [61, 64, 72],
    }
    cement = example().norms["GB 16780-2021 cement"][-1].correction
    assert cement is not None
    assert (cement.share, cement.at) == ("clinker", 75)
    assert cement.per_point == (Fraction("1.10"), Fraction("1.15"), Fraction("1.20"))
    for entries in example().norms.values():
        assert "[src]" in entries[-1].source


@pytest.mark.parametrize(
    ("unit", "levels", "energy", "first"),
    [
        ("kgce/t", "[100]", "comprehensive", "100"),
        ("tce/t", "[0.1]", "comprehensive", "100"),
        ("kWh/t", "[48]", "electricity", "48"),
        ("MWh/kt", "[48]", "electricity", "48"),
        ("GJ/t", "[3.502]", "heat", "3502"),
        ("kWh/kg", "[0.048]", "electricity", "48"),
    ],
)
def test_units(unit: str, levels: str, energy: str, first: str) -> None:
    """The unit says which energy is meant; levels are in kWh, MJ or kgce per unit of product, exactly."""
    norm = f'\n[[norm]]\nid = "own"\nproduct = "clinker"\nunit = "{unit}"\nlevels = {levels}\n'
    [entry] = parse(EXAMPLE + norm, file="x").norms["own"]
    assert (entry.energy, entry.levels) == (energy, (Fraction(first),))


def test_energy_may_be_said() -> None:
    """A norm of heat given in coal equivalent: 100 kgce/t are 2,930.76 MJ/t."""
    text = NORM.replace('electricity = "0.1229 kgce/kWh"', 'energy = "heat"')
    [entry] = parse(EXAMPLE + text, file="x").norms["own"]
    assert (entry.energy, entry.levels[0]) == ("heat", Fraction("2930.76"))


def test_dated_entries_follow_the_profiles() -> None:
    """The same id with a later `from` is a second period; with the profile's `from` it replaces that one."""
    same = NORM.replace('"own"', '"GB 16780-2021 clinker"')
    later = parse(EXAMPLE + same.replace("[[norm]]", "[[norm]]\nfrom = 2030-01-01"), file="x").norms
    assert [n.start for n in later["GB 16780-2021 clinker"]] == [date(2022, 10, 1), date(2030, 1, 1)]
    instead = parse(EXAMPLE + same.replace("[[norm]]", "[[norm]]\nfrom = 2022-10-01"), file="x").norms
    assert [n.source for n in instead["GB 16780-2021 clinker"]] == ["test"]


def test_a_norm_changes_the_version() -> None:
    """Another level is another plant; another source is not."""
    version = lambda text: parse(EXAMPLE + text, file="x").version  # noqa: E731 - short
    assert version(NORM) != version(NORM.replace("117", "118"))
    assert version(NORM) == version(NORM.replace('"test"', '"other"'))


CORRECTION = 'correction = { share = "cement", at = 75, per_point = [1.1, 1.15, 1.2] }\n'


@pytest.mark.parametrize(
    ("old", "new", "table", "key", "cause", "mend"),
    [
        ('"own"', '"ow\\nn"', "norm.ow\\nn", "id", "line protocol", "letters"),
        ('product = "clinker"', 'product = "clincer"', "norm.own", "product", "no product `clincer`", "`clinker`"),
        ('product = "clinker"', "", "norm.own", "product", "is missing", "clinker"),
        ('"kgce/t"', '"kgcee/t"', "norm.own", "unit", "unknown unit", "kgce"),
        ('"kgce/t"', '"kgce/m3"', "norm.own", "unit", "energy per volume", "kgce/t"),
        ("[100, 107, 117]", "[]", "norm.own", "levels", "empty", "best first"),
        ("[100, 107, 117]", "[117, 107, 100]", "norm.own", "levels", "do not rise", "best level first"),
        ("[100, 107, 117]", '["a"]', "norm.own", "levels", "not a number", "decimal"),
        ("[100, 107, 117]", "100", "norm.own", "levels", "should be a list", "brackets"),
        ('"0.1229 kgce/kWh"', '"0.1229 t/kWh"', "norm.own", "electricity", "mass per energy", "kgce/kWh"),
        ('"0.1229 kgce/kWh"', '"-1 kgce/kWh"', "norm.own", "electricity", "above zero", "0.1229"),
        ('unit = "kgce/t"', 'unit = "kWh/t"', "norm.own", "electricity", "coal equivalent", "leave it out"),
        ('unit = "kgce/t"', 'unit = "kgce/t"\nenergy = "power"', "norm.own", "energy", "none of the choices", "electricity"),
        ('source = "test"\n', 'source = "test"\nlevel = 3\n', "norm.own", "level", "unknown key", "`levels`"),
        ('source = "test"\n', CORRECTION.replace("cement", "cemet"), "norm.own.correction", "share", "no product", "`cement`"),
        ('source = "test"\n', CORRECTION.replace(", 1.2]", "]"), "norm.own.correction", "per_point", "2 values for 3", "each level"),
        ('source = "test"\n', CORRECTION.replace("75", "750"), "norm.own.correction", "at", "not a percentage", "0 to 100"),
        ('source = "test"\n', 'to = 2020-01-01\nfrom = 2021-01-01\n', "norm.own", "to", "ends", "later day"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, table: str, key: str, cause: str, mend: str) -> None:
    """Each at its table and key, with what to do."""
    assert NORM.count(old) == 1
    found = [m for m in mistakes(EXAMPLE + NORM.replace(old, new)) if (m.table, m.key) == (table, key)]
    assert found, mistakes(EXAMPLE + NORM.replace(old, new))
    assert cause in found[0].cause
    assert mend in found[0].mend


def test_a_line_names_its_norm() -> None:
    """Known and of its product, or a mistake."""
    line = 'area = "pyro"'
    assert parse(EXAMPLE.replace(line, line + '\nnorms = ["GB 16780-2021 clinker"]'), file="x").lines[1].norms == (
        "GB 16780-2021 clinker",
    )
    [unknown] = mistakes(EXAMPLE.replace(line, line + '\nnorms = ["GB 16780-2021 klinker"]'))
    assert (unknown.table, unknown.key) == ("line.k1", "norms")
    assert "GB 16780-2021 clinker" in unknown.mend
    [other] = mistakes(EXAMPLE.replace(line, line + '\nnorms = ["GB 16780-2021 cement"]'))
    assert "is for `cement`; the line makes `clinker`" in other.cause


def test_two_kinds_under_one_id() -> None:
    """One id, one product, one kind of energy."""
    other = NORM.replace("kgce/t", "kWh/t").replace('electricity = "0.1229 kgce/kWh"', "from = 2030-01-01")
    [wrong] = mistakes(EXAMPLE + NORM + other)
    assert (wrong.table, wrong.key) == ("norm.own", "energy")
