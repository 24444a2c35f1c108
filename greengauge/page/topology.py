"""The plant's outline as the page needs it: names, places, windows, zones; no factors, no topics."""

from __future__ import annotations

from typing import Any

from devices.plant.model import Plant


def topology(plant: Plant) -> dict[str, Any]:
    """Scopes with the lines below them, stacks with their lines, sites with their zones."""
    return {
        "windows": list(plant.windows),
        "history": plant.intake.history,
        "sites": [
            {"scope": f"site:{s.enterprise}/{s.name}", "name": s.name, "zone": s.timezone, "enterprise": s.enterprise}
            for s in plant.sites
        ],
        "scopes": [
            {"id": scope.id, "level": scope.level, "lines": [f"line:{plant.lines[i].id}" for i in scope.lines]}
            for scope in plant.scopes
        ],
        "lines": [
            {
                "scope": f"line:{line.id}",
                "name": line.name,
                "area": line.area,
                "site": plant.sites[line.site].name,
                "industry": line.industry,
            }
            for line in plant.lines
        ],
        "stacks": [
            {
                "scope": f"stack:{stack.id}",
                "name": stack.name,
                "site": plant.sites[stack.site].name,
                "lines": [f"line:{plant.lines[i].id}" for i in stack.lines],
            }
            for stack in plant.stacks
        ],
    }
