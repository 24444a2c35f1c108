"""docs/registry.md: every key a user may write is on it, in the section of its table, and its example loads."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import devices.plant.tables
from devices.plant import parse
from devices.plant.tables.reading import Table

PAGE = (Path(__file__).parent.parent.parent / "docs" / "registry.md").read_text(encoding="utf-8")


def tables() -> Iterator[type[Table]]:
    """Every pydantic table, wherever it is written."""
    for module in pkgutil.iter_modules(devices.plant.tables.__path__):
        found = importlib.import_module(f"devices.plant.tables.{module.name}")
        for value in vars(found).values():
            own = isinstance(value, type) and value.__module__ == found.__name__
            if own and issubclass(value, Table) and value is not Table:
                yield value


SECTIONS = {
    "Lcd": "line", "Running": "line", "Chemistry": "product", "Input": "product", "Process": "product",
    "Dust": "material",
    "Substitution": "stack", "Correction": "norm", "On": "alarm", "Limit": "alarm", "Channel": "meter.NAME.channels",
}  # fmt: skip
"""Tables that stand inside another's section; the others have one by their own name."""


@pytest.mark.parametrize("table", list(tables()), ids=lambda t: t.__name__)
def test_every_key_is_documented(table: type[Table]) -> None:
    """Each key of the table stands in its section in backticks."""
    name = table.__name__.removesuffix("Table")
    title = SECTIONS.get(name, name.lower())
    sections = [
        s for s in PAGE.split("\n## ") if re.match(rf"\[+{re.escape(title)}[\].]", s) or s.startswith(f"[{title}]")
    ]
    text = "\n".join(sections)
    assert text, f"no section for {title}"
    keys = {info.alias or key for key, info in table.model_fields.items()}
    words = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    assert keys - words == set()


def test_the_example_loads() -> None:
    """The page's laboratory example is a registry once its place and benchmark are said."""
    [example] = [block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "k1-lab" in block]
    place = '[site.works]\nenterprise = "acme"\ntimezone = "UTC"\n[line.k1]\nsite = "works"\narea = "pyro"\n'
    count = '[meter.k1]\nline = "k1"\nevery = "1min"\n[meter.k1.channels]\n'
    count += 'out = { unit = "t/h", kind = "rate", counts = "product:clinker" }\n'
    plant = parse(place + count + 'rdf = { unit = "t/h", kind = "rate", counts = "fuel:rdf" }\n' + example)
    assert {plant.channels[lab.channel].name for c in plant.channels for lab in c.labs} == {"cao", "good", "ncv"}
