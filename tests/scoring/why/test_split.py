"""The split is exact: both lists add up to the change to the last digit, whatever the two windows are."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from scoring.degrees.shares import Pair, Side, Who
from scoring.why.split import Contribution, Kind, Split, split
from scoring.why.told import rounded

MADE, COAL, KWH, MEAL = range(4)
PARTS = [Who(line, channel) for line in (0, 1) for channel in (MADE, COAL, KWH, MEAL)]
KINDS = {
    MADE: Kind("process", "output", "process"), COAL: Kind("fuel", "fuel"),
    KWH: Kind("energy", "energy"), MEAL: Kind("material", "material"),
}  # fmt: skip
amounts = st.integers(-5, 1_000_000)


def kind(who: Who) -> Kind:
    return Kind("people", "people") if who.channel is None else KINDS[who.channel]


@st.composite
def sides(draw: st.DrawFn) -> Side:
    """Any amounts and factors; channels may be missing from a window, the denominator is above 0."""
    above: dict[Who, Pair] = {}
    below: dict[Who, Pair] = {}
    for who in draw(st.lists(st.sampled_from(PARTS), unique=True)):
        amount = draw(amounts)
        below[who] = (amount, amount * draw(st.integers(0, 999)))
        if who.channel == MADE:
            above[who] = (amount, amount * draw(st.integers(0, 99)))
    least = 1 - sum(added for _, added in below.values())
    if least > 0:
        below[Who(None, None, "people")] = (least, least)
    return Side(sum(x for _, x in above.values()), sum(x for _, x in below.values()), above, below)


def total(found: tuple[Contribution, ...]) -> Fraction:
    return sum((c.value for c in found), start=Fraction(0))


@given(sides(), sides(), st.booleans())
def test_both_lists_add_up_to_the_change(old: Side, new: Side, per_output: bool) -> None:
    """No rest, not even of one part in 10**30: everything is a fraction."""
    found = split(old, new, kind, per_output=per_output)
    change = Fraction(new.numerator, new.denominator) - Fraction(old.numerator, old.denominator)
    assert total(found.parts) == total(found.causes) == change == found.after - found.before


@given(sides(), sides())
def test_parts_are_the_formula(old: Side, new: Side) -> None:
    """c_i = −R0·R1·(e_i1 − e_i0), R0 and e_i0 after the change of the benchmark at the old mix."""
    found = split(old, new, kind, per_output=True)
    n0 = Fraction(old.numerator) + sum((c.value for c in found.parts if c.cause == "benchmark"), Fraction(0)) * (
        old.denominator
    )
    r0, r1 = n0 / old.denominator, Fraction(new.numerator, new.denominator)
    if not r0 or not r1:
        return
    for part in found.parts:
        if part.cause != "benchmark":
            e0 = old.below.get(part.who, (0, 0))[1] / n0
            e1 = Fraction(new.below.get(part.who, (0, 0))[1], new.numerator)
            assert part.value == -r0 * r1 * (e1 - e0)


@given(st.lists(st.fractions(min_value=-5, max_value=5, max_denominator=10**9), max_size=12), st.integers(0, 12))
def test_printed_parts_add_up(values: list[Fraction], digits: int) -> None:
    """The printed parts add up to the printed sum, and none is a whole unit off."""
    printed = rounded(values, digits)
    assert sum(printed) == round(sum(values, start=Fraction(0)) * 10**digits) / Fraction(10**digits)
    assert all(abs(p - v) < Fraction(1, 10**digits) for p, v in zip(printed, values, strict=True))


def causes(found: Split) -> dict[tuple[str, int | None, int | None], Fraction]:
    return {(c.cause, c.who.line, c.who.channel): c.value for c in found.causes}


def test_more_of_everything_moves_nothing() -> None:
    """A line that makes twice as much of twice as much: no cause at all, not "fuel down, output up"."""
    old = Side(70, 80, {Who(0, MADE): (100, 70)}, {Who(0, MADE): (100, 50), Who(0, COAL): (10, 30)})
    new = Side(140, 160, {Who(0, MADE): (200, 140)}, {Who(0, MADE): (200, 100), Who(0, COAL): (20, 60)})
    assert causes(split(old, new, kind, per_output=True)) == {}


def test_output_that_moves_between_lines_is_output() -> None:
    """Two lines, each as good as before (70/70 and 130/70); from half of the output the better one goes to 3/4.

    −R0·R1·(D_i0/N_l0)·(s1 − s0): for line 0 −R0·R1·(70/70)·(1/4), for line 1 +R0·R1·(130/70)·(1/4).
    """
    made, coal = (Who(0, MADE), Who(1, MADE)), (Who(0, COAL), Who(1, COAL))
    old = Side(140, 200, {made[0]: (70, 70), made[1]: (70, 70)}, {coal[0]: (14, 70), coal[1]: (26, 130)})
    new = Side(140, 170, {made[0]: (105, 105), made[1]: (35, 35)}, {coal[0]: (21, 105), coal[1]: (13, 65)})
    r0r1 = Fraction(140, 200) * Fraction(140, 170)
    assert causes(split(old, new, kind, per_output=True)) == {
        ("output", 0, MADE): -r0r1 / 4,
        ("output", 1, MADE): r0r1 / 4 * Fraction(130, 70),
    }


def test_a_line_that_stopped_has_no_intensity() -> None:
    """Where a line makes nothing in one of the windows its parts are told by their amounts."""
    old = Side(
        140, 200, {Who(0, MADE): (70, 70), Who(1, MADE): (70, 70)}, {Who(0, COAL): (7, 70), Who(1, COAL): (13, 130)}
    )
    new = Side(70, 70, {Who(0, MADE): (70, 70)}, {Who(0, COAL): (7, 70)})
    found = causes(split(old, new, kind, per_output=True))
    assert found["fuel", 1, COAL] == Fraction(7, 10) * Fraction(130, 140)
    assert sum(found.values()) == Fraction(3, 10)


def test_factor_apart_from_amount() -> None:
    """Grid 5 → 4 a unit while 100 units become 120, output and the rest as they were.

    D: 1000 → 980; N = 700. R0 = 0.7, R1 = 700/980. Factor at the old amount: −R0·R1·(100·(4 − 5))/700; amount at
    the new factor: −R0·R1·(120 − 100)·4/700.
    """
    old = Side(700, 1000, {Who(0, MADE): (1, 700)}, {Who(0, COAL): (1, 500), Who(0, KWH): (100, 500)})
    new = Side(700, 980, {Who(0, MADE): (1, 700)}, {Who(0, COAL): (1, 500), Who(0, KWH): (120, 480)})
    r0r1 = Fraction(7, 10) * Fraction(700, 980)
    assert causes(split(old, new, kind, per_output=True)) == {
        ("factor", 0, KWH): r0r1 * Fraction(100, 700),
        ("energy", 0, KWH): -r0r1 * Fraction(80, 700),
    }


def test_benchmark_first_at_the_old_mix() -> None:
    """0.7 → 0.6 a unit of output, 100 → 200 units, CO2 80 → 150: benchmark (60 − 70)/80, the rest from 60/80."""
    old = Side(70, 80, {Who(0, MADE): (100, 70)}, {Who(0, COAL): (10, 80)})
    new = Side(120, 150, {Who(0, MADE): (200, 120)}, {Who(0, COAL): (20, 150)})
    found = split(old, new, kind, per_output=True)
    benchmark, coal = found.parts
    assert (benchmark.cause, benchmark.value) == ("benchmark", Fraction(-10, 80))
    assert (coal.cause, coal.value) == ("fuel", Fraction(120, 150) - Fraction(60, 80))


def test_circular_and_smart_split_both_sides() -> None:
    """More waste in the mix is the waste's doing: (ΔR)·(1 − R0)/M1; less virgin material is its own: −R0·ΔM/M1."""
    ash, meal = Who(0, 7), Who(0, MEAL)
    KINDS[7] = Kind("material", "material")
    old = Side(10, 100, {ash: (10, 10)}, {ash: (10, 10), meal: (90, 90)})
    new = Side(20, 105, {ash: (20, 20)}, {ash: (20, 20), meal: (85, 85)})
    assert causes(split(old, new, kind, per_output=False)) == {
        ("waste", 0, 7): Fraction(10, 105) * Fraction(9, 10),
        ("material", 0, MEAL): Fraction(1, 10) * Fraction(5, 105),
    }
    people = Who(0, None, "people")
    old = Side(80, 100, {Who(0, MADE): (8, 80)}, {people: (100, 100)})
    new = Side(60, 120, {Who(0, MADE): (6, 60)}, {people: (120, 120)})
    assert causes(split(old, new, kind, per_output=False)) == {
        ("output", 0, MADE): Fraction(-20, 120),
        ("people", 0, None): -Fraction(80, 100) * Fraction(20, 120),
    }
