"""Lines that are alike are worked out once: what comes of it is what each would get by itself."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from devices.plant import parse
from devices.plant.model import Plant
from greengauge.bench.intake.workload import Workload
from scoring.degrees import coverage_groups, likeness
from scoring.degrees.forms import Compiler
from scoring.degrees.likeness import Likeness
from scoring.rules.timeline import Timeline
from tests.scoring.reference.works import works

HEAD = """schema = 1
profiles = ["cement"]
[site.wuhu]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[scoring]
windows = ["1h"]
"""
LINE = """
[line.{line}]
site = "wuhu"
area = "pyro"
industry = "cement"
people = {people}
lcd = {{ basis = "{basis}", power = true }}
[meter.{line}-{meter}]
line = "{line}"
every = "1min"
[meter.{line}-{meter}.channels]
made = {{ unit = "t", kind = "amount", counts = "product:clinker" }}
{channel} = {{ unit = "{unit}", kind = "amount", counts = "fuel:bituminous" }}
"""


def line(name: str, *, basis: str = "gross", unit: str = "t", people: int = 1, channel: str = "coal") -> str:
    return LINE.format(
        line=name, meter="z" if name == "k3" else "a", basis=basis, unit=unit, people=people, channel=channel
    )


def plain(thing: Any) -> Any:
    """A record as its fields, a timeline as its periods."""
    if isinstance(thing, Timeline):
        return thing.periods
    if is_dataclass(thing):
        return tuple(plain(getattr(thing, f.name)) for f in fields(thing))
    return tuple(map(plain, thing)) if isinstance(thing, tuple) else thing


def forms(plant: Plant) -> list[Any]:
    compiler = Compiler(plant)
    return [plain(compiler.line(one)) for one in plant.lines]


@pytest.mark.parametrize("registry", ["works", "workload"])
def test_placed_forms_are_those_compiled_by_themselves(registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line's forms and coverage groups, shared or not."""
    plant = works() if registry == "works" else parse(Workload(50, every_ms=1000).registry(history=True))
    shared = forms(plant), coverage_groups(plant)
    monkeypatch.setattr(Likeness, "_key", lambda _self, one, _named: one.index)
    monkeypatch.setattr(likeness, "_last", None)
    assert (forms(plant), coverage_groups(plant)) == shared


def test_names_and_heads_do_not_make_unlike() -> None:
    """Whatever meters and channels are called, and however many people work there."""
    plant = parse(HEAD + line("k1") + line("k2", people=7) + line("k3", channel="coal-b"))
    assert Likeness(plant).first == [0, 0, 0]


def test_what_is_counted_makes_unlike() -> None:
    """A basis, a unit."""
    plant = parse(HEAD + line("k1") + line("k2", basis="net") + line("k3", unit="kg"))
    assert Likeness(plant).first == [0, 1, 2]


def test_a_laboratory_of_its_own_makes_unlike() -> None:
    """Its channel is named by its row."""
    moist = """
[meter.{line}-lab]
line = "{line}"
every = "8h"
channels = {{ water = {{ unit = "%", kind = "level" }} }}
"""
    text = "".join(
        line(name).replace('"fuel:bituminous"', f'"fuel:bituminous", moisture = "{name}-lab.water"')
        for name in ("k1", "k2")
    )
    plant = parse(HEAD + text + moist.format(line="k1") + moist.format(line="k2"))
    assert Likeness(plant).first == [0, 1]
