"""A registry as its tables: read, each table checked by itself, profiles merged in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from devices import names
from devices.errors import ConfigurationError
from devices.plant.merge import merged, profile_names
from devices.plant.mistakes import Mistakes
from devices.plant.tables.alarm import AlarmTable
from devices.plant.tables.benchmark import BenchmarkTable
from devices.plant.tables.channel import ChannelTable
from devices.plant.tables.factor import FactorTable
from devices.plant.tables.fuel import FuelTable
from devices.plant.tables.intake import IntakeTable
from devices.plant.tables.line import LineTable
from devices.plant.tables.material import MaterialTable
from devices.plant.tables.meter import MeterTable
from devices.plant.tables.norm import NormTable
from devices.plant.tables.product import ProductTable
from devices.plant.tables.regime import RegimeTable
from devices.plant.tables.scoring import ScoringTable
from devices.plant.tables.site import SiteTable
from devices.plant.tables.stack import StackTable
from devices.words import listed, suggestion

M = TypeVar("M", bound=BaseModel)

SCHEMA = 1
SECTIONS = ("schema", "profiles", "intake", "site", "line", "stack", "meter", "alarm", "factor", "fuel",
            "product", "material", "benchmark", "norm", "regime", "scoring")  # fmt: skip


@dataclass(slots=True)
class Registry:
    """Every table that can be used. `declared` also names those that cannot, so that nobody says they are missing."""

    intake: IntakeTable = field(default_factory=IntakeTable)
    scoring: ScoringTable = field(default_factory=ScoringTable)
    sites: dict[str, SiteTable] = field(default_factory=dict)
    lines: dict[str, LineTable] = field(default_factory=dict)
    stacks: dict[str, StackTable] = field(default_factory=dict)
    meters: dict[str, MeterTable] = field(default_factory=dict)
    channels: dict[tuple[str, str], ChannelTable] = field(default_factory=dict)  # (meter, channel)
    fuels: dict[str, FuelTable] = field(default_factory=dict)
    products: dict[str, ProductTable] = field(default_factory=dict)
    materials: dict[str, MaterialTable] = field(default_factory=dict)
    regimes: dict[str, list[RegimeTable]] = field(default_factory=dict)
    alarms: list[AlarmTable] = field(default_factory=list)
    factors: list[FactorTable] = field(default_factory=list)
    benchmarks: list[BenchmarkTable] = field(default_factory=list)
    norms: list[NormTable] = field(default_factory=list)
    declared: dict[str, set[str]] = field(default_factory=dict)  # section -> names, of channels "meter.channel"
    unreadable: set[str] = field(default_factory=set)  # sections of the wrong shape: anything may have stood there

    def may_know(self, section: str, name: str) -> bool:
        """Whether the name is declared, however wrong, or may have been where nothing could be read."""
        return section in self.unreadable or name in self.declared.get(section, ())


def read(raw: Mapping[str, Any], mistakes: Mistakes) -> Registry:
    """All tables of a parsed file and of its profiles; every mistake within a table is noted."""
    for key in sorted(raw.keys() - set(SECTIONS)):
        mend = suggestion(key, SECTIONS) or f"known here are {listed(SECTIONS, most=30)}"
        mistakes.add("registry", key, "unknown key", mend)
    if raw.get("schema", SCHEMA) != SCHEMA or isinstance(raw.get("schema"), bool):
        mistakes.add("registry", "schema", f"schema {raw['schema']} is not known here", f"write `schema = {SCHEMA}`")
    whole = merged(raw, _profiles(raw.get("profiles", []), mistakes))
    found = Registry()
    found.intake = mistakes.check(IntakeTable, whole.get("intake", {}), "intake") or found.intake
    found.scoring = mistakes.check(ScoringTable, whole.get("scoring", {}), "scoring") or found.scoring

    def content(section: str) -> Mapping[str, Any]:
        named = whole.get(section, {})
        if isinstance(named, dict):
            return named
        mistakes.add(section, "", "should be tables with names", f"write `[{section}.NAME]` above each")
        found.unreadable |= {section, "channel"} if section == "meter" else {section}
        return {}

    def tables(section: str, model: type[M], named: Callable[[str], str] = names.name) -> dict[str, M]:
        kept = {}
        for name, table in content(section).items():
            found.declared.setdefault(section, set()).add(name)
            checked = mistakes.check(model, table, f"{section}.{name}")
            if _named(named, section, name, mistakes) and checked is not None:
                kept[name] = checked
        return kept

    def entries(section: str, model: type[M]) -> list[M]:
        kept = []
        rows = whole.get(section, [])
        if not isinstance(rows, list):
            mistakes.add(section, "", "is a list of entries", f"write `[[{section}]]` above each entry")
            found.unreadable.add(section)
            rows = []
        for row, table in enumerate(rows, 1):
            id_ = table.get("id") if isinstance(table, dict) else None
            label = f"{section}.{id_}" if isinstance(id_, str) else f"{section}[{row}]"
            found.declared.setdefault(section, set()).add(str(id_))
            checked = mistakes.check(model, table, label)
            if checked is not None:
                kept.append(checked)
        return kept

    found.sites = tables("site", SiteTable)
    found.lines = tables("line", LineTable)
    found.stacks = tables("stack", StackTable)
    found.meters = tables("meter", MeterTable)
    found.fuels = tables("fuel", FuelTable, names.identifier)
    found.products = tables("product", ProductTable, names.identifier)
    found.materials = tables("material", MaterialTable, names.identifier)
    found.alarms = entries("alarm", AlarmTable)
    found.factors = entries("factor", FactorTable)
    found.benchmarks = entries("benchmark", BenchmarkTable)
    found.norms = entries("norm", NormTable)
    _regimes(found, content("regime"), mistakes)
    _channels(found, content("meter"), mistakes)
    return found


def _channels(found: Registry, meters: Mapping[str, Any], mistakes: Mistakes) -> None:
    """The channels of every meter, also of one whose own table is wrong: all mistakes at once."""
    declared = found.declared.setdefault("channel", set())
    for meter, table in meters.items():
        channels = table.get("channels") if isinstance(table, dict) else None
        if not isinstance(channels, dict):
            found.unreadable.add("channel")  # noted as the meter's own mistake
            continue
        if not channels:
            mistakes.add(f"meter.{meter}", "channels", "has no channels", "add at least one, or leave the meter out")
        for name, channel in channels.items():
            label = f"meter.{meter}.channels.{name}"
            declared.add(f"{meter}.{name}")
            checked = mistakes.check(ChannelTable, channel, label)
            try:
                names.name(name)
            except ConfigurationError as problem:
                mistakes.take(label, "", problem)
                continue
            if checked is not None and meter in found.meters:
                found.channels[meter, name] = checked


def _regimes(found: Registry, regimes: Mapping[str, Any], mistakes: Mistakes) -> None:
    for id_, dated in regimes.items():
        found.declared.setdefault("regime", set()).add(id_)
        good = _named(names.identifier, "regime", id_, mistakes)
        checked = [mistakes.check(RegimeTable, table, f"regime.{id_}") for table in dated]
        if good and all(checked):
            found.regimes[id_] = [c for c in checked if c is not None]


def _profiles(given: object, mistakes: Mistakes) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        mistakes.add("registry", "profiles", "should be a list of names", 'write it like `profiles = ["cement"]`')
        return []
    known = profile_names()
    for name in given:
        if name not in known:
            mistakes.unknown("registry", "profiles", "profile", name, known)
    return [name for name in given if name in known]


def _named(rule: Callable[[str], str], section: str, name: str, mistakes: Mistakes) -> bool:
    try:
        rule(name)
    except ConfigurationError as problem:
        mistakes.take(f"{section}.{name}", "", problem)
        return False
    return True
