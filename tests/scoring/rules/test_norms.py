"""Levels of a norm: which is reached, what is missing, and how the clinker share moves them."""

from __future__ import annotations

import pytest

from devices.plant.norm import Correction, Norm
from scoring.rules.norms import choose_norm, corrected, judge
from tests.scoring.degrees.works import Works, frac

CEMENT = Norm(
    "cement", "cement", "comprehensive", (frac(80), frac(87), frac(94)), "chain", None,
    Correction("clinker", frac(75), (frac("1.10"), frac("1.15"), frac("1.20"))), None, None, "",
)  # fmt: skip


@pytest.mark.parametrize(
    ("share", "levels"),
    [(85, ["91", "98.5", "106"]), (65, ["69", "75.5", "82"]), (75, ["80", "87", "94"])],
)
def test_example_10(share: int, levels: list[str]) -> None:
    """domain.md §7: ten points above 75 % clinker add 11, 11.5 and 12; ten below take them."""
    assert corrected(CEMENT, frac(share)) == tuple(map(frac, levels))


@pytest.mark.parametrize(
    ("value", "level", "better", "distance"),
    [
        ("-30.5", 1, None, None),  # recovers more than level 1 asks for
        ("-30", 1, None, None),  # reached at the value itself
        ("-29", 2, "-30", "1"),
        ("-28", 2, "-30", "2"),
        ("-12", 3, "-28", "16"),
        ("0", None, "-12", "12"),
    ],
)
def test_a_converter_below_zero(value: str, level: int | None, better: str | None, distance: str | None) -> None:
    """GB 21256 converter −30/−28/−12: lower is better on both sides of zero."""
    found = judge(frac(value), (frac(-30), frac(-28), frac(-12)))
    assert found.level == level
    assert (found.next, found.distance) == (better and frac(better), distance and frac(distance))
    if better and distance:
        assert found.percent == 100 * frac(distance) / abs(frac(better))


def test_a_level_of_zero_has_no_percent() -> None:
    """5 above a level of 0: five units, and no percentage of nothing."""
    found = judge(frac(5), (frac(0),))
    assert (found.level, found.next, found.distance, found.percent) == (None, 0, 5, None)


def test_the_line_chooses_where_two_fit() -> None:
    """Two norms for one product and kind: none is guessed; the line's word decides; another kind never fits."""
    works = Works()
    works.product("steel")
    works.norm("eaf-large", "steel", "comprehensive", "61 64 72")
    works.norm("eaf-small", "steel", "comprehensive", "67 70 78")
    works.norm("power", "steel", "electricity", "400")
    line = works.line("a")
    found = choose_norm(works.plant(), line, "steel", "comprehensive")
    assert (found.id, found.why) == ("", "2 norms fit steel (eaf-large, eaf-small): name one in `norms`")
    named = works.line("b", norms=("eaf-small",))
    assert choose_norm(works.plant(), named, "steel", "comprehensive").id == "eaf-small"
    assert choose_norm(works.plant(), named, "steel", "electricity").id == "power"
    assert choose_norm(works.plant(), named, "steel", "heat").why is None
