"""docs/circular-degree.md: the paper's series through `greengauge replay`, year by year, and the committed picture."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parent.parent.parent / "docs"
PAPER = [0.393] * 2 + [0.411] * 8 + [0.408, 0.413, 0.420, 0.422, 0.427, 0.429, 0.431, 0.431] + [None] * 5 + [0.779]


def test_series() -> None:
    """Each year has the degree that the paper prints; the five lost years have none; the picture shows just that."""
    draw = runpy.run_path(str(DOCS / "examples" / "circular-degree" / "draw.py"))
    values = draw["series"]()
    assert values == dict(zip(range(1990, 2014), PAPER, strict=True))
    assert draw["picture"](values) == (DOCS / "circular-degree.svg").read_text()
