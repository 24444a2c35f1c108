"""From a registry as users write it, profiles included, to the worked numbers of semantics §6."""

from __future__ import annotations

from devices.plant import parse
from scoring.degrees import Degrees, coverage_groups
from scoring.results import Score
from scoring.stamp import Stamp
from tests.scoring.degrees.works import HOUR, NOON, Ledger

HEAD = """
schema = 1
profiles = ["cement"]
[site.a]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
[site.b]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
"""
LINE = """
[line.{name}]
site = "{site}"
area = "pyro"
industry = "cement"
lcd = {{ basis = "gross", power = false, benchmark = "{benchmark}" }}
[meter.m-{name}]
line = "{name}"
every = "1s"
[meter.m-{name}.channels]
"""
CHANNEL = '{key} = {{ unit = "t", kind = "amount", step = "0.01", counts = "{counts}" }}\n'
BENCHMARK = """
[[benchmark]]
id = "{id}"
product = "{product}"
value = {value}
unit = "t CO2/t"
basis = "gross"
power = false
boundary = "{boundary}"
from = 2021-01-01
source = "test"
"""


def scores(text: str, amounts: dict[tuple[str, str], int]) -> dict[str, Score]:
    plant = parse(HEAD + text)
    booked = [(plant.channel(*key).index, NOON - HOUR, NOON, amount * 100) for key, amount in amounts.items()]
    groups = coverage_groups(plant)
    degrees = Degrees(plant, Ledger(plant, groups, booked, set()), groups)
    rows = range(len(plant.scopes))
    found = degrees.scores(NOON, rows, [plant.windows.index("1h")], Stamp("final", 0, NOON), lambda *_: False)
    return {score.scope: score for score in found if score.degree == "lcd"}


def line(name: str, site: str, benchmark: str, **channels: str) -> str:
    return LINE.format(name=name, site=site, benchmark=benchmark) + "".join(
        CHANNEL.format(key=key, counts=counts) for key, counts in channels.items()
    )


def test_case_5() -> None:
    """Measured CO2 on the profile's clinkers, whose process factors are not added: 0.939661, 0.920192, 0.936744."""
    text = BENCHMARK.format(id="grey", product="clinker", value=0.693, boundary="stage")
    text += BENCHMARK.format(id="white", product="white-clinker", value=0.957, boundary="stage")
    amounts: dict[tuple[str, str], int] = {}
    for name, site, kind, made, co2 in (
        ("k1", "a", "grey", 100, 80),
        ("k2", "a", "grey", 300, 210),
        ("k3", "a", "grey", 0, 5),
        ("w1", "b", "white", 50, 52),
    ):
        product = "clinker" if kind == "grey" else "white-clinker"
        text += line(name, site, kind, made=f"product:{product}", co2="co2")
        amounts |= {(f"m-{name}", "made"): made, (f"m-{name}", "co2"): co2}
    found = scores(text, amounts)
    values = [found[scope].value for scope in ("site:acme/a", "site:acme/b", "enterprise:acme", "industry:cement")]
    assert [value and round(value, 6) for value in values] == [0.939661, 0.920192, 0.936744, 0.936744]


def test_case_9() -> None:
    """A kiln and its own mill on chain benchmarks: the site is held to its cement alone, 0.770959."""
    text = BENCHMARK.format(id="k", product="clinker", value=0.693, boundary="chain")
    text += BENCHMARK.format(id="c", product="cement", value=0.469, boundary="chain")
    text += line("kiln", "a", "k", made="product:clinker", co2="co2")
    text += line("mill", "a", "c", made="product:cement", clinker="material:clinker", co2="co2")
    found = scores(
        text,
        {
            ("m-kiln", "made"): 90,
            ("m-kiln", "co2"): 70,
            ("m-mill", "made"): 120,
            ("m-mill", "clinker"): 90,
            ("m-mill", "co2"): 3,
        },
    )
    value = found["site:acme/a"].value
    assert value is not None
    assert round(value, 6) == 0.770959
