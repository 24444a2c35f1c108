"""Scopes: everything that has degrees, lines first."""

from __future__ import annotations

from collections.abc import Iterable

from devices.plant.model import Level, Line, Scope, Site

LEVELS: tuple[Level, ...] = ("line", "area", "site", "enterprise", "industry", "region", "country")


def scopes(lines: Iterable[Line], sites: Iterable[Site]) -> tuple[Scope, ...]:
    """Every scope with at least one line, in order of level and id. Industry, region and country are tags."""
    by_index = {site.index: site for site in sites}
    members: dict[tuple[int, str], list[int]] = {}
    for line in lines:
        site = by_index[line.site]
        ids = {
            "line": line.id,
            "area": f"{site.enterprise}/{site.name}/{line.area}",
            "site": f"{site.enterprise}/{site.name}",
            "enterprise": site.enterprise,
            "industry": line.industry,
            "region": site.region and f"{site.country}/{site.region}",
            "country": site.country,
        }
        for depth, level in enumerate(LEVELS):
            if ids[level]:
                members.setdefault((depth, f"{level}:{ids[level]}"), []).append(line.index)
    return tuple(
        Scope(row, id_, LEVELS[depth], tuple(sorted(rows)))
        for row, ((depth, id_), rows) in enumerate(sorted(members.items()))
    )
