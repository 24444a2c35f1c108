"""CO2 and degree accounting from outside: domain.md §1–3 and §7, semantics.md §3–4, through `greengauge replay --json`.

Each case's docstring derives what it expects; nothing of ours is looked into.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.system.test_replay_cases import Bench, Row, T, bench, benchmark, one

__all__ = ["bench"]  # the fixture

MIN, HOUR = 60_000, 3_600_000
LINE = "line:acme/works/hall/k"
SITE = (
    '[site.works]\nenterprise = "acme"\ncountry = "CN"\nregion = "anhui"\ntimezone = "{zone}"\nelectricity = "grid"\n'
)
GRID = '[[factor]]\nid = "grid"\nvalue = 0.5\nunit = "kg CO2/kWh"\n'
OWN = benchmark("own", "clinker", 0.7, "stage")


def plant(channels: str, more: str = "", *, lcd: str = "", line: str = "", zone: str = "UTC") -> str:
    """One line `k` with one meter `m` of instant amounts (name = counts, in t), and more tables."""
    rows = ""
    for part in channels.split("; "):
        name, _, what = part.partition("=")
        rows += f'{name} = {{ unit = "t", kind = "amount", counts = "{what}" }}\n' if "{" not in what else f"{part}\n"
    head = f'[line.k]\nsite = "works"\narea = "hall"\nindustry = "any"\nlcd = {{ {lcd or "power = false"} }}\n{line}\n'
    return (
        f'{SITE.format(zone=zone)}{head}[meter.m]\nline = "k"\nevery = "1min"\n[meter.m.channels]\n{rows}{GRID}{more}\n'
    )


def lab(*names: str, every: str = "2h", **keys: str) -> str:
    more = "".join(f", {key} = {value}" for key, value in keys.items())
    rows = "".join(f'{name} = {{ unit = "%", kind = "level", step = "0.01"{more} }}\n' for name in names)
    return f'[meter.lab]\nline = "k"\nevery = "{every}"\n[meter.lab.channels]\n{rows}'


def book(**amounts: float | str) -> list[Row]:
    """Amounts of the meter `m`, all nine minutes after T."""
    return [(T + 9 * MIN, "m", name, value) for name, value in amounts.items()]


def hour(bench: Bench, text: str, rows: list[Row], degree: str = "lcd", scope: str = LINE) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: row[0])
    return one(bench.replay(text, rows, "--final"), scope=scope, degree=degree, window="1h")


# --- process CO2 ------------------------------------------------------------------------------------


def test_input_method(bench: Bench) -> None:
    """Domain §7 example 7: 1,861,500 t of feed, 10.33 % of it dust returned, LOI 35 %:
    1,861,500 × 0.8967 × 0.35 = 584,222.47 t CO2, however the feed comes in parts and whoever names it.
    """
    for of in ("raw-meal", "m.feed"):
        method = f'process = {{ input = {{ of = "{of}", dust_return = "10.33 %", loi = 0.35 }} }}'
        text = plant("feed=material:raw-meal; out=product:clinker", f"[product.clinker]\n{method}\n{OWN}")
        rows = [*book(out=1_200_000, feed="1000000.5"), (T + 20 * MIN, "m", "feed", "861499.5")]
        found = hour(bench, text, rows)
        assert found["denominator"] == pytest.approx(584_222.4675, abs=1e-6)
        assert found["detail"]["co2_process"] == found["denominator"]


def test_chemistry(bench: Bench) -> None:
    """Domain §7 example 6 and §2: CaO 64.6 % alone gives 0.50711 t/t; with 1 % of it not from carbonates and MgO
    2.1 %, 0.1 % not: 0.636 × 0.785 + 0.02 × 1.092 = 0.4992600 + 0.02184 = 0.5211.
    """
    for oxides, factor in (
        ("cao = 0.646", 0.50711),
        ('cao = "64.6 %", cao_nc = 0.01, mgo = "21 kg/t", mgo_nc = 0.001', 0.5211),
    ):
        text = plant("out=product:clinker", f"[product.clinker]\nprocess = {{ chemistry = {{ {oxides} }} }}\n{OWN}")
        assert hour(bench, text, book(out=1000))["denominator"] == pytest.approx(1000 * factor, abs=1e-9)


CHEMISTRY = f'[product.clinker]\nprocess = {{ chemistry = {{ cao = "lab.cao" }} }}\n{OWN}'
RATE = 'out = { unit = "t/h", kind = "rate", counts = "product:clinker", max_gap = "2h" }'


def test_each_part_has_its_own_laboratory_value(bench: Bench) -> None:
    """200 t/h; CaO 64 % from :00, 66 % from :20:30: 68.3333 t × 0.64 + 131.6667 t × 0.66, times 0.785.
    = (43.73333 + 86.9) × 0.785 = 102.5471667. A mean CaO of the samples (65 %) would give 102.05.
    """
    rows: list[Row] = [(T, "lab", "cao", 64), (T, "m", "out", 200), (T + 20 * MIN + 30_000, "lab", "cao", "66")]
    rows.append((T + HOUR, "m", "out", 200))
    found = hour(bench, plant(RATE, CHEMISTRY + lab("cao")), rows)
    assert found["denominator"] == pytest.approx((43.0 + 11 / 15 + 86.9) * 0.785, abs=1e-9)
    assert (found["reason"], found["quality"]) == ("above 1: better than the benchmark", "good")


def test_late_and_corrected_laboratory_values(bench: Bench) -> None:
    """The sample of :20 arrives at :29 and is corrected (rev 1) at :33: as if it had always said 66 %.
    20 min at 64 % and 40 min at 66 % of 200 t/h: (66.6667 × 0.64 + 133.3333 × 0.66) × 0.785 = 102.573333.
    """
    rows: list[Row] = [(T, "lab", "cao", 64, T)]
    rows += [(T + m * MIN, "m", "out", 200, T + m * MIN) for m in range(61)]
    rows += [(T + 20 * MIN, "lab", "cao", 90, T + 29 * MIN), (T + 20 * MIN, "lab", "cao", 66, T + 33 * MIN, 1)]
    rows.sort(key=lambda row: row[4])
    found = one(
        bench.replay(plant(RATE, CHEMISTRY + lab("cao")), rows, "--final"),
        scope=LINE, degree="lcd", window="1h", ts=T + HOUR,
    )  # fmt: skip
    assert found["denominator"] == pytest.approx(102.5733333333, abs=1e-9)


def test_before_the_first_and_after_a_stale_sample(bench: Bench) -> None:
    """100 t before the laboratory's first word: withheld without a default, 100 × 0.65 × 0.785 = 51.025 with one,
    and uncertain. A sample of 60 % counts for its max_gap of 15 min (100 t: 47.1), then the default again (51.025);
    without a default it goes on being used (47.1), uncertain as well.
    """
    default = CHEMISTRY.replace('"lab.cao"', '{ channel = "lab.cao", default = "65 %" }')
    short = lab("cao", max_gap='"15min"')
    early: list[Row] = book(out=100)
    withheld = hour(bench, plant("out=product:clinker", CHEMISTRY + short), early)
    assert withheld["value"] is None
    assert "no laboratory value of lab.cao yet" in withheld["reason"]
    found = hour(bench, plant("out=product:clinker", default + short), early)
    assert (found["denominator"], found["quality"]) == (pytest.approx(51.025), "uncertain")
    sampled: list[Row] = [(T, "lab", "cao", 60), *early]
    fresh = hour(bench, plant("out=product:clinker", default + short), sampled)
    assert (fresh["denominator"], fresh["quality"]) == (pytest.approx(47.1), "good")
    stale: list[Row] = [*sampled, (T + 20 * MIN, "m", "out", 100)]
    for more, tonnes in ((default, 47.1 + 51.025), (CHEMISTRY, 2 * 47.1)):
        found = hour(bench, plant("out=product:clinker", more + short), stale)
        assert (found["denominator"], found["quality"]) == (pytest.approx(tonnes), "uncertain")


def test_input_method_with_laboratory_values(bench: Bench) -> None:
    """Moist feed, three laboratory values at once: 300 t at 8 % water, DR 10 %, LOI 35 %, then 100 t at LOI 36 %:
    300 × 0.92 × 0.9 × 0.35 + 100 × 0.92 × 0.9 × 0.36 = 86.94 + 29.808 = 116.748 t.
    GD's material is the dry mass, 368 t.
    """
    method = 'process = { input = { of = "raw-meal", dust_return = "lab.dr", loi = "lab.loi" } }'
    feed = 'feed = { unit = "t", kind = "amount", counts = "material:raw-meal", moisture = "lab.water" }'
    text = plant(f"{feed}; out=product:clinker", f"[product.clinker]\n{method}\n{OWN}" + lab("dr", "loi", "water"))
    rows: list[Row] = [(T, "lab", name, value) for name, value in (("dr", 10), ("loi", 35), ("water", 8))]
    rows += [*book(feed=300, out=200), (T + 30 * MIN, "lab", "loi", 36), (T + 30 * MIN, "m", "feed", 100)]
    found = hour(bench, text, rows)
    assert found["denominator"] == pytest.approx(116.748, abs=1e-9)
    assert hour(bench, text, rows, "gd")["denominator"] == pytest.approx(368.0, abs=1e-9)


def test_dust(bench: Bench) -> None:
    """Domain §2: x = 0.525 × 0.5 / 1.525 = 0.172131, x / (1 − x) = 0.207921 t/t of kiln dust; bypass dust 0.525.
    1,000 t clinker, 10 t and 4 t of dust: 525 + 2.07921 + 2.1 = 529.17921 t. Dust is not consumed:
    GD's material is 1,600.
    """
    dust = '[material.ckd]\ndust = { of = "clinker", calcination = 0.5 }\n'
    dust += '[material.bypass]\ndust = { of = "clinker", bypass = true }\n'
    channels = "meal=material:meal; out=product:clinker; ckd=material:ckd; by=material:bypass"
    text = plant(channels, f'[product.clinker]\nprocess = "0.525 t CO2/t"\ntheoretical = "1.5 t/t"\n{dust}{OWN}')
    rows = book(meal=1600, out=1000, ckd=10, by=4)
    assert hour(bench, text, rows)["denominator"] == pytest.approx(525 + 10 * 0.2625 / 1.2625 + 2.1, abs=1e-9)
    assert hour(bench, text, rows, "gd")["value"] == pytest.approx(1500 / 1600)


# --- fuels, electricity, deductions -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fuel", "tonnes"),
    [("bituminous", 2.44068), ("petcoke", 3.16875), ("lignite", 1.2019), ("natural-gas", 2.6928)],
)
def test_ipcc_fuels(bench: Bench, fuel: str, tonnes: float) -> None:
    """Domain §7 example 8: t CO2 per t of fuel from the profile's NCV and factor, e.g. 25.8 × 94.6 / 1000 = 2.44068."""
    text = 'profiles = ["cement"]\n' + plant(
        f"out=product:clinker; fuel=fuel:{fuel}", "[product.clinker]\nprocess = '0 t/t'\n"
    )
    found = hour(bench, text, book(out=1000, fuel=10))
    assert found["detail"]["co2_fuel"] == pytest.approx(10 * tonnes, abs=1e-9)


def test_a_fuel_of_the_laboratory(bench: Bench) -> None:
    """10 t of RDF at 20 % water: 8 t dry × 18 GJ/t = 144 GJ; 40 % biogenic: 144 × 0.075 × 0.6 = 6.48 t, memo 4.32.
    From :30 on NCV 20 GJ/t: 5 t more give 80 GJ, 3.6 t, memo 2.4. TSR with 100 GJ coal (4 t × 25): 224 / 324.
    """
    rdf = 'rdf = { unit = "t", kind = "amount", counts = "fuel:mix", moisture = 0.2 }'
    more = (
        '[fuel.mix]\nncv = "lab.ncv"\nef = "75 kg/GJ"\nbiogenic = 0.4\n[fuel.coal]\nncv = "25 GJ/t"\nef = "96 kg/GJ"\n'
    )
    more += lab("x").replace('x = { unit = "%"', 'ncv = { unit = "GJ/t"')
    rows: list[Row] = [(T, "lab", "ncv", 18), *book(rdf=10, coal=4, out=100)]
    rows += [(T + 30 * MIN, "lab", "ncv", 20), (T + 40 * MIN, "m", "rdf", 5)]
    detail = hour(bench, plant(f"{rdf}; coal=fuel:coal; out=product:clinker", more + OWN), rows)["detail"]
    assert detail["co2_alternative"] == pytest.approx(6.48 + 3.6)
    assert detail["co2_biogenic"] == pytest.approx(4.32 + 2.4)
    assert detail["co2_gross"] == pytest.approx(9.6 + 10.08)
    assert detail["co2_net"] == pytest.approx(9.6)
    assert (detail["heat_gj"], detail["tsr"]) == (pytest.approx(324), pytest.approx(224 / 324))


def test_deductions(bench: Bench) -> None:
    """China ETS (domain §2): 1,000 t × 0.535 less 10 × 0.600 + 20 × 0.480 + 30 × 0.215 + 40 × 0.055 = 24.25:
    510.75 t. They are wastes all the same: CD = 90 / 100 (slaked lime is made for it).
    """
    ids = {"lime": "slaked-lime", "carbide": "carbide-slag", "slag": "steel-slag", "ash": "fly-ash"}
    more = "".join(f'[material.{id_}]\ndeduction = "cn-ets:{id_}"\n' for id_ in ids.values())
    channels = "; ".join(f"{name}=material:{id_}" for name, id_ in ids.items())
    text = plant(
        f"out=product:clinker; {channels}",
        f'[product.clinker]\nprocess = "cn-ets:clinker"\n{more}{OWN}',
        lcd='benchmark = "own"',
    )
    rows = book(out=1000, lime=10, carbide=20, slag=30, ash=40)
    found = hour(bench, 'profiles = ["cement"]\n' + text, rows)
    assert found["denominator"] == pytest.approx(535 - 24.25, abs=1e-9)
    assert found["detail"]["deductions"] == pytest.approx(24.25)
    cd = hour(bench, 'profiles = ["cement"]\n' + text, rows, "cd")
    assert (cd["value"], cd["detail"]["waste_t"]) == (pytest.approx(0.9), 90.0)


POWER = {"bought": "", "sold": ", exported = true", "whr": ", waste_heat = true"}
METERS = "; ".join(f'{n} = {{ unit = "MWh", kind = "amount", counts = "electricity"{k} }}' for n, k in POWER.items())


@pytest.mark.parametrize(("basis", "tonnes"), [("gross", 84.0), ("net", 75.0)])
def test_electricity_bought_exported_and_of_waste_heat(bench: Bench, basis: str, tonnes: float) -> None:
    """10 MWh bought, 2 given away, 5 of waste heat: (10 − 2) × 0.5 = 4 t. Process 50 t, coal 10 GJ × 0.1 … 21 t,
    RDF 9 t fossil: gross 80, net 71, with power 84 and 75; every name is told whatever the basis.
    """
    more = '[product.clinker]\nprocess = "0.5 t/t"\n[fuel.coal]\nncv = "21 GJ/t"\nef = "100 kg/GJ"\n'
    more += '[fuel.tyres]\nncv = "30 GJ/t"\nef = "0.1 t CO2/GJ"\nalternative = true\n'
    more += OWN.replace('"gross"', f'"{basis}"').replace("power = false", "power = true")
    text = plant(f"out=product:clinker; coal=fuel:coal; tyres=fuel:tyres; {METERS}", more, lcd='benchmark = "own"')
    found = hour(bench, text, book(out=100, coal=10, tyres=3, bought=10, sold=2, whr=5))
    assert (found["basis"], found["denominator"]) == (f"{basis} with power", pytest.approx(tonnes))
    assert found["value"] == pytest.approx(70 / tonnes)
    told = {"co2_gross": 80, "co2_net": 71, "co2_power": 4, "co2_direct": tonnes - 4, "co2_total": tonnes}
    told |= {"co2_process": 50, "co2_fuel": 30, "co2_gross_per_t": 0.8, "heat_per_t": 3000, "kwh_exported": 2000}
    told |= {"kwh_waste_heat": 5000, "kwh_bought": 10_000, "co2_power_per_t": 0.04}
    for key, value in told.items():
        assert found["detail"][key] == pytest.approx(value), key


def test_gnr_improvement(bench: Bench) -> None:
    """Domain §7 example 14: net 612 against 756 kg/t is −19.05 %: the LCD against 0.612 is 0.612 / 0.756 = 0.8095."""
    text = plant("out=product:cement; co2=co2", benchmark("gnr", "cement", 0.612, "stage").replace('"gross"', '"net"'))
    found = hour(bench, text, book(out=1000, co2=756))
    assert found["detail"]["co2_net_per_t"] == pytest.approx(0.756)
    assert round(100 * (0.612 / found["detail"]["co2_net_per_t"] - 1), 2) == -19.05
    assert found["value"] == pytest.approx(1 - 0.190476, abs=1e-6)


# --- dated values, qualified output -----------------------------------------------------------------


def dated(id_: str, unit: str, *values: tuple[float, str]) -> str:
    return "".join(f'[[factor]]\nid = "{id_}"\nvalue = {v}\nunit = "{unit}"\nfrom = {day}\n' for v, day in values)


def test_every_value_may_be_dated(bench: Bench) -> None:
    """At the site's midnight (2025-12-31T16:00Z) everything changes. Before: 100 t × 0.5 + 10 t × 25 × 0.1 − 10 × 0.2 =
    73; after: 100 × 0.6 + 10 × 20 × 0.09 − 10 × 0.1 = 77; sum 150. GD: 100 × 1.5 + 100 × 1.4 over 20 t of ash; SD over
    24 h: 100 t / 2 + 100 / 4 = 75 person-h of 240.
    """
    years = ("2020-01-01", "2026-01-01")
    tables = {
        "ef": ("t CO2/t", 0.5, 0.6),
        "ncv": ("GJ/t", 25, 20),
        "coal": ("t/GJ", 0.1, 0.09),
        "ash": ("t/t", 0.2, 0.1),
    }
    tables |= {"need": ("t/t", 1.5, 1.4), "peer": ("t/person-h", 2, 4)}
    more = "".join(dated(id_, unit, (a, years[0]), (b, years[1])) for id_, (unit, a, b) in tables.items())
    more += '[product.clinker]\nprocess = "ef"\ntheoretical = { factor = "need" }\nbest_peer = "peer"\n'
    more += f'[fuel.coal]\nncv = "ncv"\nef = "coal"\n[material.ash]\ndeduction = "ash"\n{OWN}'
    text = plant(
        "out=product:clinker; coal=fuel:coal; ash=material:ash", more, line="people = 10", zone="Asia/Shanghai"
    )
    midnight = 1_767_196_800_000
    rows: list[Row] = []
    for ts in (midnight, midnight + 1):  # the reading stamped midnight belongs to the old year
        rows += [(ts, "m", "out", 100), (ts, "m", "coal", 10), (ts, "m", "ash", 10)]
    things = bench.replay(text, rows, "--final")
    lcd, gd, sd = (one(things, scope=LINE, degree=d, window="24h") for d in ("lcd", "gd", "sd"))
    assert lcd["denominator"] == pytest.approx(150, abs=1e-9)
    assert (gd["numerator"], gd["denominator"]) == (pytest.approx(290), 20.0)
    assert (sd["numerator"], sd["denominator"]) == (pytest.approx(75), 240.0)


def test_not_yet_in_force_and_expired(bench: Bench) -> None:
    """A factor from 2027 on cannot be used in 2026: withheld. One that ended with 2025 is used and marked, from the
    line up to the country: 0.7 × 100 / (100 × 0.5) = 1.4.
    """
    product = f'[product.clinker]\nprocess = "ef"\n{OWN}'
    late = plant("out=product:clinker", product + dated("ef", "t/t", (0.5, "2027-01-01")))
    found = hour(bench, late, book(out=100))
    assert (found["value"], found["reason"]) == (None, "factor ef is not yet in force")
    over = dated("ef", "t/t", (0.5, "2020-01-01")) + "to = 2025-12-31\n"
    for scope in (LINE, "site:acme/works", "region:CN/anhui", "country:CN", "industry:any"):
        found = hour(bench, plant("out=product:clinker", product + over), book(out=100), scope=scope)
        assert (found["value"], found["quality"]) == (pytest.approx(1.4), "uncertain")
        assert found["reason"].startswith("factor ef expired after 2025-12-31")


def test_qualified_output(bench: Bench) -> None:
    """Of 100 t, then of 50 t, 90 % and 80 % are good: output 130 t. N = 0.7 × 130 = 91;
    process CO2 is of all 150 t: 75.
    GD: 1.5 × 130 / 240 = 0.8125.
    """
    more = f'[product.clinker]\nprocess = "0.5 t/t"\ntheoretical = "1.5 t/t"\nqualified = "lab.good"\n{OWN}'
    text = plant("out=product:clinker; meal=material:meal", more + lab("good"))
    rows: list[Row] = [(T, "lab", "good", 90), *book(out=100, meal=240), (T + 20 * MIN, "lab", "good", 80)]
    rows.append((T + 20 * MIN, "m", "out", 50))  # at the sample's own instant: it counts already
    found = hour(bench, text, rows)
    assert (found["numerator"], found["denominator"], found["output"]) == (pytest.approx(91), 75.0, 130.0)
    assert hour(bench, text, rows, "gd")["value"] == pytest.approx(0.8125)


# --- steel ------------------------------------------------------------------------------------------


def test_tier_1(bench: Bench) -> None:
    """IPCC tier 1 from the profile, against EU ETS: coke 0.217 / 0.56, sinter 0.157 / 0.20, hot metal 1.288 / 1.35."""
    for product, factor, leading in (("coke", 0.56, 0.217), ("sinter", 0.20, 0.157), ("hot-metal", 1.35, 1.288)):
        id_ = "ipcc:iron" if product == "hot-metal" else f"ipcc:{product}"
        text = plant(
            f"out=product:{product}", f'[product.{product}]\nprocess = "{id_}"\n', lcd=f'benchmark = "eu-ets-{product}"'
        )
        found = hour(bench, 'profiles = ["steel"]\n' + text, book(out=10))
        assert found["value"] == pytest.approx(leading / factor)


BALANCE = """
[product.hot-metal]
carbon = 0.045
[product.bof-steel]
carbon = "0.1 %"
[material.scrap]
carbon = "carbon:scrap"
[fuel.converter-gas]
ncv = "7.06 GJ/t"
ef = "182 kg/GJ"
"""


def test_carbon_balance_of_a_converter(bench: Bench) -> None:
    """100 t hot metal × 4.5 % C + 20 t scrap × 4 % − 110 t steel × 0.1 % = 4.5 + 0.8 − 0.11 = 5.19 t C = 19.03 t CO2.
    8 t of gas given away take 8 × 7.06 × 0.182 = 10.27936 t along. 20 t would take 25.6984: negative, so undefined.
    """
    gas = 'gas = { unit = "t", kind = "amount", counts = "fuel:converter-gas", exported = true }'
    more = BALANCE + benchmark("bof", "bof-steel", 0.1, "stage")
    text = 'profiles = ["steel"]\n' + plant(
        f"iron=material:hot-metal; scrap=material:scrap; out=product:bof-steel; {gas}", more
    )
    found = hour(bench, text, book(iron=100, scrap=20, out=110, gas=8))
    assert found["denominator"] == pytest.approx(5.19 * 44 / 12 - 10.27936, abs=1e-9)
    found = hour(bench, text, book(iron=100, scrap=20, out=110, gas=20))
    assert (found["value"], found["denominator"]) == (None, pytest.approx(19.03 - 25.6984, abs=1e-9))
    assert found["reason"] == "CO2 is negative: credits exceed what was emitted"


def test_carbon_passed_on_cancels(bench: Bench) -> None:
    """The furnace's carbon leaves it in the iron (−0.045 × 100) and enters the converter: for the site only
    coke's 83 t of 80 % C count, less the steel's: (83 × 0.8 − 110 × 0.001) × 44/12.
    The furnace alone: (66.4 − 4.5) × 44/12.
    """
    more = BALANCE.replace("[material.scrap]", "[material.coke]\ncarbon = 0.8\n[material.scrap]")
    more += benchmark("bof", "bof-steel", 0.1, "stage") + benchmark("bf", "hot-metal", 1.2, "stage")
    more += '[line.bof]\nsite = "works"\narea = "hall"\nlcd = { benchmark = "bof" }\n'
    more += '[meter.n]\nline = "bof"\nevery = "1min"\n'
    more += '[meter.n.channels]\niron = { unit = "t", kind = "amount", counts = "material:hot-metal" }\n'
    more += 'steel = { unit = "t", kind = "amount", counts = "product:bof-steel" }\n'
    text = 'profiles = ["steel"]\n' + plant("coke=material:coke; out=product:hot-metal", more, lcd='benchmark = "bf"')
    rows = [*book(coke=83, out=100), (T + 9 * MIN, "n", "iron", 100), (T + 9 * MIN, "n", "steel", 110)]
    furnace, site = (hour(bench, text, rows, scope=s) for s in (LINE, "site:acme/works"))
    assert furnace["denominator"] == pytest.approx(61.9 * 44 / 12, abs=1e-9)
    assert site["denominator"] == pytest.approx((66.4 - 0.11) * 44 / 12, abs=1e-9)
    assert site["value"] == pytest.approx((120 + 11) / ((66.4 - 0.11) * 44 / 12))


def test_electric_arc_furnace(bench: Bench) -> None:
    """100 t: electrodes 0.2 t × 82 % C, scrap 108 t × 4 %, steel 0.1 %: (0.164 + 4.32 − 0.1) × 44/12 = 16.0747 t, with
    40 MWh × 0.5 = 20 t: 36.0747; ETS 0.215 with power: 21.5 / 36.0747 = 0.595986.
    """
    more = '[product.eaf-carbon-steel]\ncarbon = 0.001\n[material.scrap]\ncarbon = "carbon:scrap"\n'
    more += '[material.electrodes]\ncarbon = "carbon:electrodes"\n'
    kwh = 'kwh = { unit = "MWh", kind = "amount", counts = "electricity" }'
    channels = f"out=product:eaf-carbon-steel; scrap=material:scrap; sticks=material:electrodes; {kwh}"
    text = 'profiles = ["steel"]\n' + plant(channels, more, lcd='benchmark = "eu-ets-eaf-carbon-steel"')
    found = hour(bench, text, book(out=100, scrap=108, sticks="0.2", kwh=40))
    assert found["denominator"] == pytest.approx(4.384 * 44 / 12 + 20, abs=1e-9)
    assert found["value"] == pytest.approx(0.595986, abs=1e-6)


# --- degrees of larger scopes -----------------------------------------------------------------------


def works(
    kiln: str, mill: str, more: str, kiln_lcd: str = 'benchmark = "c1"', mill_lcd: str = 'benchmark = "c2"'
) -> str:
    """A kiln `k` and a mill `z` on one site; channels as in `plant`, the mill's meter is `n`."""
    rows = "".join(
        f'{name} = {{ unit = "t", kind = "amount", counts = "{what}" }}\n'
        for name, _, what in (part.partition("=") for part in mill.split("; "))
    )
    second = f'[line.z]\nsite = "works"\narea = "mills"\nindustry = "any"\nlcd = {{ {mill_lcd} }}\n'
    second += f'[meter.n]\nline = "z"\nevery = "1min"\n[meter.n.channels]\n{rows}'
    return plant(kiln, second + more, lcd=kiln_lcd)


ROWS: list[Row] = [(T + MIN, "m", "out", 90), (T + MIN, "m", "co2", 70), (T + MIN, "m", "meal", 140)]
ROWS += [
    (T + MIN, "n", "cement", 120),
    (T + MIN, "n", "clinker", 90),
    (T + MIN, "n", "ash", 30),
    (T + MIN, "n", "co2", 3),
]
KILN = "out=product:clinker; co2=co2; meal=material:meal"
MILL = "cement=product:cement; clinker=material:clinker; ash=material:ash; co2=co2"
HIGHER = ("site:acme/works", "enterprise:acme", "region:CN/anhui", "country:CN", "industry:any")


def test_stage_and_chain_are_never_mixed(bench: Bench) -> None:
    """Clinker on a stage and cement on a chain benchmark: the kiln has its degree (63 / 70), the mill's chain begins
    outside, and every scope above both is withheld and names both; the sums stay (73 t).
    """
    text = works(KILN, MILL, benchmark("c1", "clinker", 0.7, "stage") + benchmark("c2", "cement", 0.469, "chain"))
    assert hour(bench, text, ROWS)["value"] == pytest.approx(0.9)
    mill = hour(bench, text, ROWS, scope="line:acme/works/mills/z")
    assert (mill["value"], mill["reason"]) == (None, "the chain begins outside: clinker is not made here")
    for scope in HIGHER:
        found = hour(bench, text, ROWS, scope=scope)
        assert (found["value"], found["denominator"]) == (None, 73.0)
        assert "stage and chain benchmarks are mixed: cement (chain), clinker (stage)" in found["reason"]


def test_a_product_without_benchmark_withholds(bench: Bench) -> None:
    """The mill's cement has none: mill, site and country say so; the kiln alone is shown."""
    text = works(KILN, MILL, benchmark("c1", "clinker", 0.7, "stage"), mill_lcd="power = false")
    assert hour(bench, text, ROWS)["value"] == pytest.approx(0.9)
    for scope in ("line:acme/works/mills/z", *HIGHER):
        found = hour(bench, text, ROWS, scope=scope)
        assert found["value"] is None
        assert "no benchmark for cement" in found["reason"]


def test_a_chain_inside_and_surplus_clinker(bench: Bench) -> None:
    """110 t of clinker made, 90 ground: N = 120 × 0.469 + 20 × 0.722 = 70.72 over 73 t, on every scope around both.
    When 150 t are ground (60 bought in), clinker's net is not below 0: N = 56.28.
    """
    text = works(KILN, MILL, benchmark("c1", "clinker", 0.722, "chain") + benchmark("c2", "cement", 0.469, "chain"))
    more: list[Row] = [(T + 2 * MIN, "m", "out", 20)]
    for scope in HIGHER:
        assert hour(bench, text, [*ROWS, *more], scope=scope)["numerator"] == pytest.approx(70.72)
    bought: list[Row] = [(T + 2 * MIN, "n", "clinker", 60)]
    assert hour(bench, text, [*ROWS, *bought], scope="country:CN")["numerator"] == pytest.approx(56.28)


def test_green_and_circular_degree_less_what_is_made_inside(bench: Bench) -> None:
    """Kiln 140 t meal for 90 t × 1.5 = 135; mill 90 clinker + 30 ash for 120 t × 1. Site:
    (135 + 120 − 90) / (260 − 90) = 165 / 170, never (135/140 and 120/120 averaged);
    CD: 30 / 170; clinker factor 90 / 120, waste 30 t.
    """
    more = '[product.clinker]\ntheoretical = "1.5 t/t"\n[product.cement]\ntheoretical = "1 t/t"\n'
    more += "[material.ash]\nwaste = true\n"
    more += benchmark("c1", "clinker", 0.7, "stage") + benchmark("c2", "cement", 0.1, "stage")
    text = works(KILN, MILL, more)
    for scope in HIGHER:
        gd, cd, lcd = (hour(bench, text, ROWS, degree, scope) for degree in ("gd", "cd", "lcd"))
        assert (gd["numerator"], gd["denominator"]) == (165.0, 170.0)
        assert (cd["value"], cd["detail"]["waste_t"]) == (pytest.approx(30 / 170), 30.0)
        assert lcd["detail"]["clinker_factor"] == 0.75
    assert hour(bench, text, ROWS, "cd", "line:acme/works/mills/z")["value"] == pytest.approx(30 / 120)


def test_heating_up_is_a_state(bench: Bench) -> None:
    """Oil burns and nothing is made: heat-up where declared, else stopped; its CO2 stays: 2 t × 40 × 0.075."""
    feed = 'feed = { unit = "t/h", kind = "rate", counts = "material:meal" }'
    oil = 'oil = { unit = "t/h", kind = "rate", counts = "fuel:oil", max_gap = "2h" }'
    more = f'[fuel.oil]\nncv = "40 GJ/t"\nef = "75 kg/GJ"\n{OWN}'
    rows: list[Row] = [(T + m * MIN, "m", "feed", 0) for m in range(61)] + [
        (T, "m", "oil", 2),
        (T + HOUR, "m", "oil", 2),
    ]
    running = 'running = { channel = "m.feed", above = 50 }\n'
    for key, state in (("", "stopped"), ('heat_up = { channel = "m.oil", above = 0.5 }', "heat-up")):
        text = plant(f"{feed}; {oil}; out=product:clinker", more, line=running + key)
        found = hour(bench, text, rows)
        assert (found["operation"], found["value"], found["denominator"]) == (state, None, pytest.approx(6.0))


@pytest.mark.parametrize("hours", [2, 7])
@pytest.mark.parametrize("every", ["1min", "1s"])
def test_a_laboratory_value_hours_late_restates(bench: Bench, hours: int, every: str) -> None:
    """CaO of 1:30 arrives hours after (at 1 s meters beyond what is kept in memory): what was final is restated, says
    which channel, and then equals what a replay without lateness says. The hour to 2:00: 30 min at 64 %, 30 at 68 %:
    200 t × 0.66 × 0.785 = 103.62 where 200 × 0.64 × 0.785 = 100.48 stood.
    """
    text = plant(
        RATE.replace('"2h"', '"2min"'), CHEMISTRY + lab("cao", max_gap='"48h"') + '[scoring]\nwindows = ["1h"]\n'
    )
    text = text.replace('every = "1min"', f'every = "{every}"', 1)
    end = 10 * 60
    rows: list[Row] = [(T, "lab", "cao", 64, T)]
    rows += [(T + m * MIN, "m", "out", 200, T + m * MIN) for m in range(end + 1)]
    sample = (T + 90 * MIN, "lab", "cao", 68)
    late = sorted([*rows, (*sample, T + 90 * MIN + hours * HOUR)], key=lambda row: row[4])
    prompt = sorted([*rows, (*sample, T + 90 * MIN)], key=lambda row: row[4])
    wanted, found = (
        {t["ts"]: t for t in bench.replay(text, r, "--every", "1h") if (t["scope"], t["degree"]) == (LINE, "lcd")}
        for r in (prompt, late)
    )
    assert {ts: t["denominator"] for ts, t in found.items()} == {ts: t["denominator"] for ts, t in wanted.items()}
    hour = found[T + 2 * HOUR]
    assert (hour["denominator"], hour["lifecycle"]) == (pytest.approx(103.62, abs=1e-9), "restated")
    assert "lab.cao" in hour["reason"]
    assert found[T + HOUR]["lifecycle"] == "final"
