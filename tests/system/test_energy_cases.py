"""Specific energy, norms and their levels from outside: registries as users write them, `replay --json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from greengauge import cli

T = 1_767_225_600_000  # 2026-01-01T00:00Z
HOUR = 3_600_000
HEAD = """
schema = 1
[site.works]
enterprise = "acme"
timezone = "Asia/Shanghai"
[scoring]
windows = ["1h"]
"""
Replay = Callable[..., list[dict[str, Any]]]


def line(name: str, **channels: str) -> str:
    """A line with one meter of its own name; `unit counts` by channel; amounts of the hour before their stamp."""
    rows = [
        f'{channel} = {{ unit = "{said.split()[0]}", kind = "amount", period = "1h", counts = "{said.split()[1]}" }}'
        for channel, said in channels.items()
    ]
    text = [f"[line.{name}]", 'site = "works"', f'area = "{name}-hall"', f"[meter.{name}]", f'line = "{name}"']
    return "\n".join([*text, 'every = "1h"', f"[meter.{name}.channels]", *rows, ""])


@pytest.fixture
def replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    def run(registry: str, amounts: dict[str, str], *flags: str, at: int = T + HOUR) -> list[dict[str, Any]]:
        """What the command prints of amounts (`meter.channel` → number) stamped `at`."""
        (tmp_path / "plant.toml").write_text(registry)
        rows = [f"{at},{name.replace('.', ',')},{amount}" for name, amount in amounts.items()]
        (tmp_path / "r.csv").write_text("\n".join(["ts,meter,channel,value", *rows]) + "\n")
        words = [
            "greengauge",
            "replay",
            str(tmp_path / "plant.toml"),
            str(tmp_path / "r.csv"),
            "--json",
            "--energy",
            *flags,
        ]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        return [json.loads(text) for text in capsys.readouterr().out.splitlines()]

    return run


def one(things: list[dict[str, Any]], scope: str, energy: str, product: str) -> dict[str, Any]:
    wanted = {"scope": scope, "energy": energy, "product": product}
    [found] = [thing for thing in things if wanted.items() <= thing.items()]
    return found


KILN = line("kiln", coal="t fuel:bituminous", kwh="kWh electricity", clinker="t product:clinker")
MILL = line("mill", clinker="t material:clinker", kwh="kWh electricity", cement="t product:cement")
CEMENT = HEAD.replace("schema = 1", 'schema = 1\nprofiles = ["cement"]')


@pytest.mark.parametrize(
    ("used", "levels", "level"), [("85", [91, 98.5, 106], 2), ("65", [69, 75.5, 82], 2), ("75", [80, 87, 94], 2)]
)
def test_example_10_on_both_sides(replay: Replay, used: str, levels: list[float], level: int) -> None:
    """domain.md §7 #10. Clinker: 11 t · 25.8 GJ/t = 283.8 GJ = 283,800/29.3076 kgce, with 5,000 · 0.1229: per 100 t
    102.98. Cement of `used` % of it and 3,500 · 0.1229 kgce: 91.83 at 85 %, 71.24 at 65 %, 81.54 at 75 %.
    """
    told = replay(CEMENT + KILN + MILL, {
        "kiln.coal": "11", "kiln.kwh": "5000", "kiln.clinker": "100",
        "mill.clinker": used, "mill.kwh": "3500", "mill.cement": "100",
    })  # fmt: skip
    kiln = Fraction(283_800) / Fraction("29.3076") + 5000 * Fraction("0.1229")
    exact = kiln * Fraction(used) / 100 + 3500 * Fraction("0.1229")
    found = one(told, "site:acme/works", "comprehensive", "cement")
    assert found["numerator"] == exact.numerator / exact.denominator
    assert found["value"] == found["numerator"] / found["denominator"]
    assert (found["unit"], found["boundary"]) == ("kgce/t", "chain: clinker")
    assert (found["levels"], found["norm_level"], found["next"]) == (levels, level, levels[0])
    missing = exact / 100 - Fraction(str(levels[0]))
    assert found["distance"] == missing.numerator / missing.denominator
    mill = one(told, "line:acme/works/mill-hall/mill", "comprehensive", "cement")
    assert (mill["norm_level"], mill["levels"]) == (None, levels)
    assert mill["reason"] == "no level: GB 16780-2021 cement covers clinker, not made here"


def test_example_9_in_energy(replay: Replay) -> None:
    """21 t · 25.8 + 6 t · 18 = 649.8 GJ on 210 t: 3,094.2857 MJ/t; 10.5 MWh: 50 kWh/t, level 2 of 48/57/61, 2 off;
    649,800/29.3076 + 10,500 · 0.1229 = 23,462.18 kgce: 111.72 kgce/t, level 3 of 100/107/117.
    """
    kiln = KILN.replace("coal =", 'rdf = { unit = "t", kind = "amount", period = "1h", counts = "fuel:rdf" }\ncoal =')
    told = replay(
        CEMENT + kiln, {"kiln.coal": "21", "kiln.rdf": "6", "kiln.kwh": "10500", "kiln.clinker": "210"}, "--final"
    )
    where = "line:acme/works/kiln-hall/kiln"
    heat, power = one(told, where, "heat", "clinker"), one(told, where, "electricity", "clinker")
    assert (heat["numerator"], heat["denominator"], heat["value"]) == (649_800.0, 210.0, 649_800 / 210)
    assert round(heat["value"], 4) == 3094.2857
    assert (power["value"], power["norm_level"], power["next"], power["distance"]) == (50.0, 2, 48.0, 2.0)
    assert power["distance_percent"] == pytest.approx(100 * 2 / 48)
    both = one(told, where, "comprehensive", "clinker")
    assert round(both["value"], 2) == 111.72
    assert (both["norm_level"], both["next"]) == (3, 107.0)
    assert {t["lifecycle"] for t in told} == {"final"}


@pytest.mark.parametrize(("heat", "level", "distance"), [("350.2", 1, None), ("350.3", None, 1.0), ("350.1", 1, None)])
def test_gnr_heat(replay: Replay, heat: str, level: int | None, distance: float | None) -> None:
    """GNR 2014: 3,502 MJ/t. 350.2 GJ on 100 t is exactly that, reached; 350.3 GJ are 3,503, 1 MJ/t above."""
    norm = """
[[norm]]
id = "GNR 2014 average"
product = "clinker"
unit = "MJ/t"
levels = [3502]
source = "GNR 2014"
"""
    kiln = KILN.replace('coal = { unit = "t"', 'coal = { unit = "GJ"')
    told = replay(CEMENT + norm + kiln, {"kiln.coal": heat, "kiln.kwh": "0", "kiln.clinker": "100"})
    found = one(told, "line:acme/works/kiln-hall/kiln", "heat", "clinker")
    assert (found["norm"], found["norm_level"], found["distance"]) == ("GNR 2014 average", level, distance)
    assert found["next"] == (None if level else 3502.0)


@pytest.mark.parametrize(
    ("gas", "value", "level", "distance"),
    [("-3122.9", -30.0, 1, None), ("-3022.9", -29.0, 2, 1.0), ("-1122.9", -10.0, None, 2.0)],
)
def test_a_converter_below_zero(
    replay: Replay, gas: str, value: float, level: int | None, distance: float | None
) -> None:
    """GB 21256 converter −30/−28/−12 kgce/t: gas recovered (metered in kgce) and 1,000 kWh · 0.1229 on 100 t of steel:
    (−3,122.9 + 122.9)/100 = −30 reaches level 1 at its very value; −29 is 1 off; −10 is 2 above the worst level.
    """
    fuel = '[fuel.converter-gas]\nncv = "7 GJ/t"\nef = "180 kg/GJ"\n'
    bof = line("bof", gas="kgce fuel:converter-gas", kwh="kWh electricity", steel="t product:bof-steel")
    head = HEAD.replace("schema = 1", 'schema = 1\nprofiles = ["steel"]')
    told = replay(head + fuel + bof, {"bof.gas": gas, "bof.kwh": "1000", "bof.steel": "100"})
    found = one(told, "line:acme/works/bof-hall/bof", "comprehensive", "bof-steel")
    assert (found["value"], found["norm_level"], found["distance"]) == (value, level, distance)


def test_a_norm_begins_at_the_sites_midnight(replay: Replay) -> None:
    """From 2026-01-02 in Shanghai, that is 2026-01-01T16:00Z: the hour that ends there is judged by the old levels,
    the next by the new ones.
    """
    norm = '[[norm]]\nid = "own"\nproduct = "steel"\nunit = "kWh/t"\nlevels = {}\nfrom = {}\nsource = "test"\n'
    norms = norm.format([400], "2025-01-01") + norm.format([300], "2026-01-02")
    registry = HEAD + norms + line("eaf", kwh="kWh electricity", steel="t product:steel")
    midnight = T + 16 * HOUR
    levels = []
    for at in (midnight, midnight + HOUR):
        told = replay(registry, {"eaf.kwh": "3500", "eaf.steel": "10"}, at=at)
        found = one(told, "line:acme/works/eaf-hall/eaf", "electricity", "steel")
        levels.append((found["value"], found["levels"], found["norm_level"]))
    assert levels == [(350.0, [400.0], 1), (350.0, [300.0], None)]


@pytest.mark.parametrize(
    ("registry", "amounts", "reason"),
    [
        (line("a", kwh="kWh electricity", steel="t product:steel"), {"a.kwh": "5", "a.steel": "0"}, "idle: no output"),
        (line("a", gas="GJ fuel:g", steel="t product:steel"), {"a.gas": "5", "a.steel": "1"},
         "no electricity is metered on a"),
        (line("a", kwh="kWh electricity", steel="t product:steel", slag="t product:slag"),
         {"a.kwh": "5", "a.steel": "1", "a.slag": "1"},
         "mixed products: a makes slag, steel, its energy cannot be told apart"),
    ],
)  # fmt: skip
def test_withheld(replay: Replay, registry: str, amounts: dict[str, str], reason: str) -> None:
    """Without output, without a meter, with two products: no value, the reason, and the sums that there are."""
    told = replay(HEAD + '[fuel.g]\nncv = "40 GJ/t"\nef = "56 kg/GJ"\n' + registry, amounts)
    found = one(told, "line:acme/works/a-hall/a", "electricity", "steel")
    assert (found["value"], found["reason"]) == (None, reason)
    assert found["numerator"] == (5.0 if "a.kwh" in amounts else 0.0)


def test_every_scope_has_its_energies(replay: Replay) -> None:
    """Line, area, site and enterprise; two lines of one product add energy and output: (50 + 70) kWh on 4 t."""
    lines = [line(n, kwh="kWh electricity", steel="t product:steel") for n in ("a", "b")]
    told = replay(HEAD + "".join(lines), {"a.kwh": "50", "a.steel": "1", "b.kwh": "70", "b.steel": "3"})
    power = {t["scope"]: t["value"] for t in told if t.get("energy") == "electricity"}
    assert power == {
        "line:acme/works/a-hall/a": 50.0, "line:acme/works/b-hall/b": 70 / 3, "area:acme/works/a-hall": 50.0,
        "area:acme/works/b-hall": 70 / 3, "site:acme/works": 30.0, "enterprise:acme": 30.0,
    }  # fmt: skip


def test_a_late_reading_restates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """50 kWh on 1 t until the second half of the hour's power comes two hours late: 120 kWh/t, revision 1, and why."""
    registry = HEAD + line("eaf", kwh="kWh electricity", steel="t product:steel").replace(
        'period = "1h"', 'period = "30min"'
    )
    rows = [
        (30, "kwh", 50),
        (60, "steel", 1),
        *((60 + m, "steel", 1) for m in (60, 120)),
        (60, "kwh", 70),
        (240, "steel", 1),
    ]
    (tmp_path / "plant.toml").write_text(registry)
    text = "\n".join(["ts,meter,channel,value", *(f"{T + m * 60_000},eaf,{c},{v}" for m, c, v in rows)])
    (tmp_path / "r.csv").write_text(text + "\n")
    words = ["replay", str(tmp_path / "plant.toml"), str(tmp_path / "r.csv"), "--json", "--energy", "--every", "1h"]
    monkeypatch.setattr(sys, "argv", ["greengauge", *words])
    with pytest.raises(SystemExit):
        cli.main()
    told = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    where = {"scope": "line:acme/works/eaf-hall/eaf", "energy": "electricity", "window": "1h", "ts": T + HOUR}
    found = [t for t in told if where.items() <= t.items()]
    assert [(t["value"], t["lifecycle"], t["revision"]) for t in found if t["lifecycle"] != "live"] == [
        (50.0, "final", 0), (120.0, "restated", 1),
    ]  # fmt: skip
    assert "eaf.kwh" in found[-1]["reason"]
