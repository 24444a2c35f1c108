"""Profiles under a registry: what the registry says wins.

Tables of one id are merged key by key. Lists of dated entries are joined: the later `from` wins from that day
on, and for the same `from` the registry's entry replaces the profile's. A regime of the registry that begins
later than the profile's follows it instead of replacing it. Where a table changes a profile's value without
saying a source, the profile's source goes too: it is not the source of that value.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from typing import Any

Raw = dict[str, Any]

TABLES = ("fuel", "product", "material", "regime")
LISTS = ("factor", "benchmark", "norm")


def profile_names() -> list[str]:
    """The profiles that are shipped."""
    folder = resources.files("devices.plant.profiles")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


@lru_cache(maxsize=16)
def profile(name: str) -> Mapping[str, Any]:
    """One shipped profile as read, with the profiles it names below it."""
    text = resources.files("devices.plant.profiles").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    own: Raw = tomllib.loads(text, parse_float=Decimal)
    return _join([*(profile(below) for below in own.pop("profiles", [])), own])


def merged(registry: Mapping[str, Any], profiles: Iterable[str]) -> Raw:
    """The registry with its profiles below it: `regime` as lists of dated tables, the other sections as written."""
    base = _join([profile(name) for name in profiles])
    whole = dict(registry)
    for section in TABLES:
        own = registry.get(section, {})
        if isinstance(own, dict):  # anything else is a mistake, reported when the section is read
            whole[section] = {**base.get(section, {}), **own}
            for id_ in own.keys() & base.get(section, {}).keys():
                whole[section][id_] = _over(base[section][id_], own[id_])
            if section == "regime":
                whole[section] = {
                    id_: _dated(base.get(section, {}).get(id_), table) for id_, table in whole[section].items()
                }
    for section in LISTS:
        own = registry.get(section, [])
        if isinstance(own, list):
            said = {_key(entry) for entry in own if isinstance(entry, dict)}
            whole[section] = [*own, *(e for e in base.get(section, []) if _key(e) not in said)]
    return whole


def _join(fragments: Iterable[Mapping[str, Any]]) -> Raw:
    whole: Raw = {}
    for fragment in fragments:
        for section, content in fragment.items():
            if isinstance(content, list):
                said = {_key(entry) for entry in content}
                whole[section] = [e for e in whole.get(section, []) if _key(e) not in said] + content
            else:
                tables = whole.setdefault(section, {})
                for id_, table in content.items():
                    tables[id_] = _over(tables.get(id_, {}), table)
    return whole


def _over(base: Any, own: Any) -> Any:
    if not isinstance(own, dict):
        return own
    changed = any(base.get(key) != value for key, value in own.items() if key != "source")
    kept = {key: value for key, value in base.items() if key != "source" or not changed}
    return {**kept, **own}


def _dated(base: Raw | None, table: Any) -> list[Any]:
    """The profile's regime and after it the registry's, if that begins later; else the merged one alone."""
    if base is not None and isinstance(table, dict):
        before, after = _day(base.get("from")), _day(table.get("from"))
        if after is not None and (before is None or after > before):
            return [base, table]
    return [table]


def _key(entry: Mapping[str, Any]) -> tuple[str, date | None]:
    return str(entry.get("id")), _day(entry.get("from"))


def _day(value: object) -> date | None:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None
