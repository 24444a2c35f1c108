"""Whatever stands in a registry, it loads or its mistakes are said: never a traceback."""

from __future__ import annotations

import copy
import random
import tomllib
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant import parse
from tests.devices.registries import EXAMPLE, mistakes
from tests.devices.test_plant_version import toml

WHOLE = tomllib.loads(EXAMPLE, parse_float=Decimal)

TEXTS = [
    "1s",
    "t/h",
    "5 t",
    "2%",
    "-3 t/h",
    "0 GJ/t",
    "k1",
    "k1-kiln.feed",
    "derived",
    "mg/m3",
    "material:clinker",
    "fuel:wood",
    "product:cement",
    "electricity",
    "co2",
    "steel",
    "{meter}",
    "kW/h",
    "K",
    "1e99 t",
]

JUNK = st.one_of(
    st.none(),  # the key is taken out
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([Decimal("0.5"), Decimal("1e30"), Decimal("-1e-30"), Decimal("nan"), Decimal("inf")]),
    st.text('ab/.#+é\n"\\ 0', max_size=6),
    st.sampled_from(TEXTS),
    st.sampled_from([[], {}, [1], ["k1", "k1"], {"x": 1}, [[]], [{}], [{"id": "x"}]]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in the tree."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [p for key, item in inner for p in places(item, (*path, key))]


PLACES = places(WHOLE)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_junk_anywhere(changes: list[tuple[tuple[Any, ...], Any]], rng: random.Random) -> None:
    """Any value replaced by any other, or taken out, up to four at once."""
    tree = copy.deepcopy(WHOLE)
    for path, junk in changes:
        here: Any = tree
        try:
            for step in path[:-1]:
                here = here[step]
            if junk is None:
                del here[path[-1]]
            else:
                here[path[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    text = "\n".join(f"{key} = {toml(value, rng)}" for key, value in tree.items())
    wrong = mistakes(text)
    assert all(m.cause and m.mend and str(m).isprintable() for m in wrong)
    assert len(set(wrong)) == len(wrong), "a mistake is said twice"
    if not wrong:
        plant = parse(text)
        assert all(c.index == row for row, c in enumerate(plant.channels))
        assert all(m.index == row for row, m in enumerate(plant.meters))
        assert all(plant.channels[c].meter == m.index for m in plant.meters for c in m.channels)
