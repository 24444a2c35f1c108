"""The static page: small modules, nothing from elsewhere, no markup from text, colours that can be read."""

from __future__ import annotations

import re

import pytest

from greengauge.page.app import STATIC

MODULES = sorted(STATIC.glob("*.js"))


def test_modules_are_small() -> None:
    """Under 200 lines each, one idea."""
    assert MODULES
    assert [m.name for m in MODULES if len(m.read_text().splitlines()) >= 200] == []


def test_text_never_becomes_markup() -> None:
    """No innerHTML or its like, no eval, no inline handler or style attribute."""
    bad = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser")
    assert [m.name for m in MODULES if bad.search(m.read_text())] == []
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]*\ssrc=)", page)


def test_nothing_comes_from_elsewhere() -> None:
    """No address but our own in page, modules or styles (the SVG name space is a name)."""
    for file in STATIC.iterdir():
        for found in re.findall(r"https?://[^\s\"')]+", file.read_text()):
            assert found == "http://www.w3.org/2000/svg", file.name


def test_every_import_is_there() -> None:
    """Each imported module exists and exports what is asked of it."""
    for module in MODULES:
        for names, target in re.findall(r"import \{([^}]+)\} from \"\./([\w.]+)\"", module.read_text()):
            exported = set(re.findall(r"export (?:async )?(?:const|function) (\$|\w+)", (STATIC / target).read_text()))
            asked = {name.split(" as ")[0].strip() for name in names.split(",") if name.strip()}
            assert asked <= exported, f"{module.name} asks {target} for {asked - exported}"


def _themes() -> list[dict[str, str]]:
    parts = re.findall(r":root \{([^}]+)\}", (STATIC / "base.css").read_text())
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part)) for part in parts]


def _light(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", _themes(), ids=["dark", "light"])
@pytest.mark.parametrize(
    ("front", "behind"),
    [
        *((front, behind) for front in ("text", "dim", "alarm") for behind in ("back", "panel", "raised")),
        ("warn", "panel"), ("alarm-text", "alarm-back"), ("warn-text", "warn-back"),
    ],
)  # fmt: skip
def test_contrast(theme: dict[str, str], front: str, behind: str) -> None:
    """At least 4.5 (WCAG 2 AA) for every text on every ground, dark and light."""
    high, low = sorted((_light(theme[front]), _light(theme[behind])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5
