"""The lines of the simulated plant: for every metered flow one signal, all of one mass and heat balance.

Feed drifts; heat follows it; coal is what alternative fuels leave of the heat; the product follows the feed
by the transport time; power follows the throughput; a mill's stop stops everything that goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devices.plant import values
from devices.plant.model import Channel, Line, Plant
from devices.simulator.recipes import OTHER, Recipe, input_shares, recipe_for
from devices.simulator.waves import FAST, Gate, Gated, Signal, Sum, Wave, constant, key, wave

_KWH = 0.0036  # GJ
_NCV = 25.0  # GJ per unit of a fuel of which only a laboratory knows it
_FIRST_BURNER = 0.39  # of the heat, where coal goes to a main burner and a calciner


@dataclass(frozen=True)
class Flows:
    """Everything that goes through one line, at nominal ± drift; amounts in base units (t, GJ, m3) per h."""

    plant: Plant
    recipe: Recipe
    gate: Gate | None
    feed: Wave  # around 1
    product: str | None
    seed: int

    def through(self, nominal: float, name: str) -> Signal:
        """A flow of that size through the machine."""
        if self.gate:
            ripple = wave(key(self.seed, name, "ripple"), 0.0, 0.015 * nominal, FAST)
            return Gated(self.gate, nominal, ripple)
        return (self.feed + wave(key(self.seed, name), 0.0, 0.004, FAST)) * nominal

    def output(self) -> Signal:
        """The product: late by the transport time, unless a mill's stop reaches it at once."""
        product = self.plant.products.get(self.product or "")
        base = self.recipe.output
        if product and product.unit.dimension != "mass":
            base *= float(product.unit.scale)
        if self.gate:
            return self.through(base, "output")
        return self.feed.delayed(self.recipe.transport) * base

    def material(self, share: float, name: str) -> Signal:
        """An input: its share of the theoretical consumption and the losses."""
        product = self.plant.products.get(self.product or "")
        per_unit = float(values.constant(product.theoretical)) if product and product.theoretical else 1.0
        return self.through(self.recipe.output * per_unit * (1 + self.recipe.yield_loss) * share, name)

    def heat(self) -> Wave:
        """GJ/h that the fuels bring together."""
        load = self.feed.delayed(self.recipe.transport / 2) + wave(key(self.seed, "heat"), 0.0, 0.012)
        return load * (self.recipe.output * self.recipe.heat)

    def alternative_heat(self) -> Wave:
        """GJ/h from alternative fuels: what their supply happens to be."""
        mean = self.recipe.output * self.recipe.heat * self.recipe.alternative
        return wave(key(self.seed, "alternative"), mean, 0.75 * mean)

    def power(self) -> Signal:
        """GJ/h of electricity."""
        nominal = self.recipe.output * self.recipe.power * _KWH
        if self.recipe.taps:
            taps = Gated(Gate(key(self.seed, "taps"), *self.recipe.taps), nominal * self.recipe.dip, constant(0.0))
            return Sum((self.through(nominal * (1 - self.recipe.dip), "power"), taps))
        if not self.gate:
            return self.through(nominal, "power")
        standby = self.recipe.standby * 1000 * _KWH
        ripple = wave(key(self.seed, "power"), 0.0, 0.01 * nominal, FAST)
        return Gated(self.gate, nominal - standby, ripple) + standby


def flows(plant: Plant, line: Line, seed: int) -> Flows:
    """One line's flows."""
    product = next((c.counts.id for c in _channels(plant, line) if c.counts and c.counts.what == "product"), None)
    recipe = recipe_for(product)
    stop = recipe.stop and Gate(key(seed, line.id, "stop"), *recipe.stop)
    load = wave(key(seed, line.id, "feed"), 1.0, 0.025 if recipe is not OTHER else 0.15)
    return Flows(plant, recipe, stop, load, product, key(seed, line.id))


def signals(plant: Plant, line: Line, seed: int) -> dict[int, Signal]:
    """Signals of the line's metered channels that count in something: channel row → base units per h."""
    of = flows(plant, line, seed)
    mine = [c for c in _channels(plant, line) if c.counts and c.source is None]
    materials = {c.counts.id: c.waste for c in mine if c.counts and c.counts.what == "material"}
    shares = input_shares(of.recipe, materials)
    burnt = _fuels(plant, of, mine)
    found: dict[int, Signal] = {}
    for c in mine:
        assert c.counts  # noqa: S101 - chosen so above
        match c.counts.what:
            case "product":
                signal = of.output()
            case "material":
                signal = of.material(shares[c.counts.id], c.counts.id)
            case "fuel":
                signal = burnt[c.index]
            case "electricity":
                signal = of.power()
            case "co2":
                signal = of.through(of.recipe.output * of.recipe.co2, "co2")
        found[c.index] = signal * _share(c, mine)
    return found


def _fuels(plant: Plant, of: Flows, channels: Iterable[Channel]) -> dict[int, Signal]:
    """Coal falls as alternative fuel rises: their heats add up to the line's."""
    burnt = [c for c in channels if c.counts and c.counts.what == "fuel" and not c.shadowed]
    others = [c for c in burnt if plant.fuels[c.counts.id].alternative]  # type: ignore[union-attr] # counts: see above
    coals = sorted((c for c in burnt if c not in others), key=lambda c: "calcin" in c.name)
    total, spare = of.heat(), of.alternative_heat()
    heats: dict[int, Wave] = {c.index: spare * (1 / len(others)) for c in others}
    if others and not coals:
        heats = {c.index: total * (1 / len(others)) for c in others}
    first = total * (_FIRST_BURNER / max(len(coals) - 1, 1))
    for c in coals[:-1]:
        heats[c.index] = first
    for c in coals[-1:]:  # the calciner, if there is one, gives way to alternative fuels
        heats[c.index] = total + first * (1.0 - len(coals)) + (spare * -1.0 if others else 0.0)
    result: dict[int, Signal] = {}
    for c in burnt:
        fuel = plant.fuels[c.counts.id]  # type: ignore[union-attr] # counts: see above
        result[c.index] = heats[c.index] * (float(fuel.unit.scale) / (float(values.constant(fuel.ncv)) or _NCV))
    for c in channels:
        if c.counts and c.counts.what == "fuel" and c.shadowed:
            result[c.index] = next((result[b.index] for b in burnt if b.counts == c.counts), total * 0.03)
    return result


def _share(channel: Channel, mine: Iterable[Channel]) -> float:
    """Meters of one flow divide it among them; a sub-meter sees less than half of its main meter's."""
    if channel.shadowed:
        return 0.45
    if channel.counts and channel.counts.what == "fuel":
        return 1.0  # divided by heat
    return 1.0 / max(1, sum(1 for c in mine if c.counts == channel.counts and not c.shadowed))


def _channels(plant: Plant, line: Line) -> list[Channel]:
    return [plant.channels[c] for m in line.meters for c in plant.meters[m].channels]
