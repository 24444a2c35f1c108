"""What each kind of line takes in per tonne that it makes: nominal values for the simulated plant.

Cement: a 5,000 t/d line after the usual heat and mass balances (3.0 GJ/t of clinker; 1.525 t of raw meal per
t at the least). Steel: an arc furnace charged continuously, with hot metal. Anything else gets `OTHER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of line, at nominal load."""

    output: float  # t of product per h (units of the product, if it is not weighed)
    inputs: Mapping[str, float] = field(default_factory=dict)  # material: weight among the inputs
    yield_loss: float = 0.06  # inputs beyond the theoretical consumption, as a share of it
    heat: float = 0.0  # GJ per t
    alternative: float = 0.15  # share of the heat from alternative fuels, on average
    power: float = 50.0  # kWh per t
    standby: float = 0.0  # MW while it stands
    co2: float = 0.7  # t per t, where CO2 is measured
    transport: float = 0.0  # s from inputs to product
    stop: tuple[float, float, float] | None = None  # s: one stop each …, of …, with ramps of …
    taps: tuple[float, float, float] | None = None  # the same for dips of the power alone, by …
    dip: float = 0.0  # … this share


RAW_MILL = Recipe(
    output=400.0,
    inputs={"limestone": 332.0, "sandstone": 28.0, "fly-ash": 26.0, "sulfuric-residue": 12.0},
    power=16.0,
    standby=0.25,
    co2=0.009,
    stop=(6 * 3600.0, 3500.0, 300.0),
)
KILN = Recipe(
    output=208.0,
    inputs={"raw-meal": 318.0, "steel-slag": 18.0},
    heat=3.06,
    power=31.0,
    co2=0.8,
    transport=1800.0,
)
CEMENT_MILL = Recipe(
    output=250.0,
    inputs={
        "clinker": 178.0,
        "blast-furnace-slag": 34.0,
        "fly-ash": 22.0,
        "sulfur-gypsum": 13.0,
        "gypsum": 13.0,
        "limestone": 12.0,
    },
    yield_loss=0.035,
    power=32.0,
    standby=0.2,
    co2=0.02,
    stop=(12 * 3600.0, 3300.0, 180.0),
)
ARC_FURNACE = Recipe(
    output=100.0,
    inputs={"scrap": 60.0, "hot-metal": 46.0, "pig-iron": 46.0, "dri": 46.0, "lime": 4.5},
    yield_loss=0.07,
    heat=0.3,
    power=330.0,
    co2=0.25,
    transport=1800.0,
    taps=(1200.0, 150.0, 30.0),
    dip=0.12,
)
OTHER = Recipe(output=100.0, heat=1.0)

_BY_PRODUCT = (
    (("clinker",), KILN),
    (("raw-meal", "rawmeal", "raw_meal"), RAW_MILL),
    (("cement",), CEMENT_MILL),
    (("steel",), ARC_FURNACE),
)


def recipe_for(product: str | None) -> Recipe:
    """The recipe of the line that makes this product, by the words in its id."""
    for words, recipe in _BY_PRODUCT:
        if product and any(word in product for word in words):
            return recipe
    return OTHER


def input_shares(recipe: Recipe, materials: Mapping[str, bool]) -> dict[str, float]:
    """How a line's input divides among the materials it meters (id: whether a waste); shares add up to 1.

    A material the recipe does not know gets a tenth of the inputs, a waste a twentieth.
    """
    known = sum(recipe.inputs.get(m, 0.0) for m in materials) or 1.0
    weights = {m: recipe.inputs.get(m, known * (0.05 if waste else 0.1)) for m, waste in materials.items()}
    total = sum(weights.values())
    return {m: w / total for m, w in weights.items()}
