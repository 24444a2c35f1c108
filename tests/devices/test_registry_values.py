"""Values by number, dated factor or laboratory: what they become, and every mistake at its key with a mend."""

from __future__ import annotations

# ruff: noqa: E501 – one case a row
from fractions import Fraction

import pytest

from devices.plant import parse
from devices.plant.values import Chemistry, Dust, Input, Sampled, Series
from tests.devices.registries import mistakes

PLANT = """
[site.works]
enterprise = "acme"
timezone = "UTC"
[line.k]
site = "works"
area = "pyro"
[[factor]]
id = "ef:clinker"
value = 525
unit = "kg CO2/t"
from = 2020-01-01
[meter.m]
line = "k"
every = "1min"
[meter.m.channels]
out = { unit = "t/h", kind = "rate", counts = "product:clinker" }
meal = { unit = "t/h", kind = "rate", counts = "material:raw-meal" }
[meter.lab]
line = "k"
every = "1h"
[meter.lab.channels]
cao = { unit = "%", kind = "level", step = "0.01" }
feed = { unit = "t", kind = "amount" }
twice = { kind = "derived", of = "cao", times = "2" }
"""


def clinker(**keys: str) -> str:
    return PLANT + "[product.clinker]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def test_what_values_become() -> None:
    """A factor in kg/t becomes t/t; 0.01 % of a laboratory is 1/10000; shares are shares however written."""
    text = clinker(
        process='"ef:clinker"', qualified='{ channel = "lab.cao", default = "90 %" }', theoretical='"1.5 t/t"'
    )
    plant = parse(text)
    product = plant.products["clinker"]
    assert isinstance(product.process, Series)
    assert [entry.value for entry in product.process.entries] == [Fraction(525, 1000)]
    cao = plant.channel("lab", "cao")
    assert product.qualified == Sampled(cao.index, Fraction(1, 10_000), Fraction(9, 10), share=True)
    assert (cao.low, cao.high) == (0, 10_000)  # a share: what lies outside is no sample
    assert [c.name for c in plant.channels if c.labs] == ["out"]


def test_ways_of_counting_process_co2() -> None:
    """Chemistry and input are read as such; kiln dust takes 0.2625/1.2625 of a factor of 0.525 along at d = 0.5."""
    oxides = parse(clinker(process='{ chemistry = { cao = "lab.cao", mgo = "2 %" } }')).products["clinker"].process
    assert isinstance(oxides, Chemistry)
    assert (oxides.mgo, oxides.cao_nc) == (Fraction(2, 100), 0)
    fed = parse(clinker(process='{ input = { of = "m.meal", loi = 0.35 } }'))
    assert fed.products["clinker"].process == Input("", fed.channel("m", "meal").index, Fraction(0), Fraction(7, 20))
    dust = (
        PLANT.replace('"material:raw-meal"', '"material:ckd"')
        + '[material.ckd]\ndust = { of = "clinker", calcination = 0.5 }\n'
    )
    found = parse(dust + '[product.clinker]\nprocess = "0.525 t/t"\n').materials["ckd"]
    assert found.dust == Dust("clinker", Fraction(1, 2), Fraction(2625, 12625))
    assert (found.counts_gd, found.counts_cd) == (False, False)


PRODUCT = "product.clinker"
CASES = [
    # keys of [product.clinker], table, key, part of the cause, part of the mend
    ({"process": '"lab.coa"'}, PRODUCT, "process", "no factor or channel `lab.coa`", "did you mean `lab.cao`"),
    ({"process": '"ef:clinkr"'}, PRODUCT, "process", "no factor or channel `ef:clinkr`", "did you mean `ef:clinker`"),
    ({"qualified": '"lab.feed"'}, PRODUCT, "qualified", "no level but of kind `amount`", 'kind = "level"'),
    ({"qualified": '"lab.twice"'}, PRODUCT, "qualified", "is derived", "derived from"),
    ({"qualified": "1.2"}, PRODUCT, "qualified", "not a share", "0 to 1"),
    ({"qualified": '{ chanel = "lab.cao" }'}, PRODUCT, "qualified", "`chanel` says nothing", "`channel`"),
    ({"qualified": '{ default = 1 }'}, PRODUCT, "qualified", "no one channel or factor", "channel ="),
    ({"theoretical": "1.5"}, PRODUCT, "theoretical", "`1.5` has no unit", "1.5 t/t"),
    ({"theoretical": '"lab.cao"', "best_peer": '"lab.cao"'}, PRODUCT, "best_peer", "no value that a laboratory", "factor"),
    ({"process": '"0.5 kWh/t"'}, PRODUCT, "process", "energy", "t/t"),
    ({"process": '{ chemistry = { coa = 0.6 } }'}, f"{PRODUCT}.process.chemistry", "coa", "unknown key", "`cao`"),
    ({"process": '{ chemistry = { mgo = 0.6 } }'}, f"{PRODUCT}.process.chemistry", "cao", "is missing", "k1-lab.cao"),
    ({"process": '{ chemistri = { cao = 0.6 } }'}, f"{PRODUCT}.process", "chemistri", "unknown key", "`chemistry`"),
    ({"process": '{ input = { of = "m.mael", loi = 0.3 } }'}, f"{PRODUCT}.process.input", "of", "no channel `m.mael`", "`m.meal`"),
    ({"process": '{ input = { of = "raw-meal", loi = "35 t" } }'}, f"{PRODUCT}.process.input", "loi", "mass", ""),
    ({"process": '{ input = { of = "lab.feed", loi = 0.3 } }', "carbon": "0.1"}, PRODUCT, "carbon", "count it twice", "keep"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "table", "key", "cause", "mend"), CASES)
def test_mistakes_of_products(keys: dict[str, str], table: str, key: str, cause: str, mend: str) -> None:
    """Each mistake is told once, where it stands."""
    found = [m for m in mistakes(clinker(**keys)) if (m.table, m.key) == (table, key)]
    assert len(found) == 1, mistakes(clinker(**keys))
    assert cause in found[0].cause
    assert mend in found[0].mend


ELSEWHERE = [
    ("gas in m3 has no mass", '[fuel.gas]\nncv = "36 MJ/m3"\nef = "56 kg/GJ"\ncounts_gd = true\n', "fuel.gas", "counts_gd"),
    ("gas in m3 has no mass", '[fuel.gas]\nncv = "36 MJ/m3"\nef = "56 kg/GJ"\ncounts_cd = true\n', "fuel.gas", "counts_cd"),
    ("flags are stored there", '[meter.x]\nline = "k"\nevery = "1s"\n[meter.x.channels]\na = { unit = "t", kind = "amount" }\n'
     'a_q = { unit = "t", kind = "amount", field = "other" }\n', "meter.x.channels.a_q", "field"),
    ("exported scrap", '[meter.x]\nline = "k"\nevery = "1s"\n[meter.x.channels]\n'
     'a = { unit = "t", kind = "amount", counts = "material:b", exported = true }\n', "meter.x.channels.a", "exported"),
    ("moist power", '[meter.x]\nline = "k"\nevery = "1s"\n[meter.x.channels]\n'
     'a = { unit = "kWh", kind = "amount", counts = "electricity", moisture = 0.1 }\n', "meter.x.channels.a", "moisture"),
    ("dust of nothing", '[material.d]\ndust = { of = "clinkr", bypass = true }\n', "material.d.dust", "of"),
    ("feed not metered", '[product.clinker]\nprocess = { input = { of = "lab.feed", loi = 0.3 } }\n[line.l]\nsite = "works"\n'
     'area = "pyro"\n[meter.l]\nline = "l"\nevery = "1s"\n[meter.l.channels]\nout = { unit = "t", kind = "amount", '
     'counts = "product:clinker" }\n', "product.clinker.process.input", "of"),
    ("too fine", '[product.clinker]\nprocess = { chemistry = { cao = "fine.x" } }\n[meter.fine]\nline = "k"\nevery = "1h"\n'
     '[meter.fine.channels]\nx = { unit = "%", kind = "level", step = "0.000000001" }\n', "meter.fine.channels.x", "step"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "table", "key"), ELSEWHERE)
def test_mistakes_elsewhere(what: str, text: str, table: str, key: str) -> None:
    """Each is noted at its key, and nothing else is."""
    assert [(m.table, m.key) for m in mistakes(PLANT + text)] == [(table, key)], what
