"""Every mistake is reported at its table and key, with a cause and a mend that a plant engineer can act on."""

from __future__ import annotations

# ruff: noqa: E501 – one case a row, old and new side by side
import pytest

from tests.devices.registries import EXAMPLE, changed, mistakes

FEED = 'feed = { unit = "t/h", kind = "rate", step = "0.001", max_gap = "30s", range = [0, 500], counts = "material:raw-meal" }'
CLINKER = 'clinker = { kind = "derived", of = "feed", times = "0.62", delay = "30min", counts = "product:clinker" }'
COAL = 'coal = { field = "TOT_1", unit = "t", kind = "counter", modulus = "100000", rise_max = "1/min", step = "0.01", counts = "fuel:bituminous" }'
SCRAP = 'scrap = { unit = "t", kind = "amount", step = "0.01", counts = "material:scrap", waste = true }'
NOX = 'nox = { unit = "mg/m3", kind = "level", water = "wet", state = "hot" }'
ON = 'on = { stack = "tail", pollutant = "nox", average = "1min" }'
LIMIT = 'limit = { at = 50, deadband = "2%", on_delay = "10s", off_delay = "60s" }'
LCD = 'lcd = { basis = "gross", power = false, benchmark = "eu-ets-grey-clinker" }'
K1 = "line.k1"
K1_KILN = "meter.k1-kiln.channels"
K1_COAL = "meter.k1-coal.channels.coal"

CASES = [
    # old, new, table, key, part of the cause, part of the mend
    ("schema = 1", "schema = 2", "registry", "schema", "schema 2", "schema = 1"),
    ('enterprise = "acme"', 'enterprise = "acme"\nprofiles = []', "site.wuhu", "profiles", "unknown key", "above the first table"),
    ("schema = 1", "schema = 1\nmetre = 3", "registry", "metre", "unknown key", "`meter`"),
    ('"cement", "steel"', '"cemnt", "steel"', "registry", "profiles", "no profile `cemnt`", "`cement`"),
    ('["cement", "steel"]', '"cement"', "registry", "profiles", "list", '["cement"]'),
    ('past = "72h"', 'past = "72"', "intake", "past", "not a duration", "15min"),
    ('past = "72h"', "past = 72", "intake", "past", "no unit of time", "72h"),
    ('grace = "15min"', 'grace = "15m"', "intake", "grace", "`m` is not a unit of time", "15min"),
    ('grace = "15min"', 'grase = "15min"', "intake", "grase", "unknown key", "`grace`"),
    ('grace = "15min"', 'history = "yes"', "intake", "history", "true or false", "without quotes"),
    ("{line}/{meter}", "{lane}/{meter}", "intake", "topic", "`{lane}`", "{line}"),
    ("{line}/{meter}", "{line}", "intake", "topic", "`{meter}` is missing", "/{meter}"),
    ('topic = "plant/', 'topic = "plant/+/', "intake", "topic", "wildcard", "legacy"),
    ('topic = "plant/', 'topic = "greengauge/', "intake", "topic", "scores go out", "legacy"),
    ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Shangai"', "site.wuhu", "timezone", "no time zone", "Asia/Shanghai"),
    ('timezone = "Asia/Shanghai"', 'timezone = "UTC+8"', "site.wuhu", "timezone", "no time zone", "IANA"),
    ('timezone = "Asia/Shanghai"', "", "site.wuhu", "timezone", "is missing", "Asia/Shanghai"),
    ('country = "CN"', "", "site.wuhu", "country", "region without a country", "country ="),
    ('enterprise = "acme"', 'enterprise = "ac/me"', "site.wuhu", "enterprise", "separates the levels", "letters"),
    ('enterprise = "acme"', "enterprise = 7", "site.wuhu", "enterprise", "should be a text", "quotes"),
    ('electricity = "grid:CN"', 'electricity = "grid:CM"', "site.wuhu", "electricity", "no factor", "`grid:CN`"),
    ('unit = "kg CO2/kWh"', 'unit = "kg/t"', "site.wuhu", "electricity", "not CO2 per energy", "kg CO2/kWh"),
    ('site = "wuhu"\narea = "pyro"', 'site = "wuhuu"\narea = "pyro"', K1, "site", "no site `wuhuu`", "`wuhu`"),
    ('area = "pyro"', "", K1, "area", "is missing", 'area = "pyro"'),
    ('industry = "cement"', 'industry = "ce ment"', K1, "industry", "space", "letters"),
    ("people = 14", "people = -1", K1, "people", "below zero", "zero or more"),
    ("people = 14", 'people = 14\nhours = "shift"', K1, "hours", "none of the choices", "calendar"),
    (LCD, 'lcd = { bassis = "gross" }', f"{K1}.lcd", "bassis", "unknown key", "`basis`"),
    (LCD, 'lcd = { basis = "grss" }', f"{K1}.lcd", "basis", "none of the choices", "`gross`"),
    (LCD, 'lcd = { benchmark = "eu-ets-gray-clinker" }', f"{K1}.lcd", "benchmark", "no benchmark", "eu-ets-grey-clinker"),
    (LCD, 'lcd = { benchmark = "eu-ets-coke" }', f"{K1}.lcd", "benchmark", "is for `coke`", "its product"),
    (LCD, "lcd = 3", K1, "lcd", "should be a table", "{ key = value }"),
    ('channel = "k1-kiln.feed"', 'channel = "k1-kiln.feeed"', f"{K1}.running", "channel", "no channel", "k1-kiln.feed"),
    ('channel = "k1-kiln.feed"', 'channel = "k1-coal.coal"', f"{K1}.running", "channel", "counter", "rate or a level"),
    ('channel = "k1-kiln.feed"', 'channel = "k1-kiln.clinker"', f"{K1}.running", "channel", "derived", "derived from"),
    ("above = 50 }", 'above = "fifty" }', f"{K1}.running", "above", "not a number", "decimal"),
    ('min_output = "1 t/h"', 'min_output = "1 kWh"', K1, "min_output", "energy", "t/h"),
    ('min_output = "1 t/h"', 'min_output = "1 t/hr"', K1, "min_output", "unknown unit `hr`", "did you mean h"),
    ('lines = ["k1"]', 'lines = ["k2"]', "stack.tail", "lines", "no line `k2`", "`k1`"),
    ('lines = ["k1"]', "", "stack.tail", "lines", "is missing", "site"),
    ('regime = "cn-cement-ultra-low"', 'regime = "cn-cement-ultralow"', "stack.tail", "regime", "no regime", "cn-cement-ultra-low"),
    ('ambient = "101300 Pa"', 'ambient = "1013 Pa"', "stack.tail", "ambient", "no ambient pressure", "101300 Pa"),
    ('ambient = "101300 Pa"', "", "meter.cems1.channels.pressure", "gauge", "ambient pressure", "ambient ="),
    ('[meter.k1-kiln]\nline = "k1"', '[meter.k1-kiln]\nline = "k9"', "meter.k1-kiln", "line", "no line `k9`", "`k1`"),
    ('[meter.k1-kiln]\nline = "k1"', "[meter.k1-kiln]", "meter.k1-kiln", "line", "stands nowhere", "line ="),
    ('[meter.k1-kiln]\nline = "k1"', '[meter.k1-kiln]\nline = "k1"\nstack = "tail"', "meter.k1-kiln", "line", "not on both", "stack"),
    ('stack = "tail"\nevery', 'stack = "tial"\nevery', "meter.cems1", "stack", "no stack", "`tail`"),
    ('line = "k1"\nevery = "1s"', 'line = "k1"', "meter.k1-kiln", "every", "is missing", 'every = "1s"'),
    ('line = "k1"\nevery = "1s"', 'line = "k1"\nevery = "0s"', "meter.k1-kiln", "every", "zero", "1s"),
    ('line = "k1"\nevery = "1s"', 'line = "k1"\nevery = "1s"\nparent = "x9"', "meter.k1-kiln", "parent", "no meter", "[meter.x9]"),
    ('line = "k1"\nevery = "1s"', 'line = "k1"\nevery = "1s"\nparent = "k1-kiln"', "meter.k1-kiln", "parent", "circle", "main meter"),
    ('topic = "legacy/kiln1/coal"', 'topic = ""', "meter.k1-coal", "topic", "a topic is empty", "legacy"),
    ('topic = "legacy/kiln1/coal"', 'topic = "legacy//coal"', "meter.k1-coal", "topic", "empty", "//"),
    ('topic = "legacy/kiln1/coal"', 'topic = "legacy/#"', "meter.k1-coal", "topic", "wildcard", "legacy"),
    ('topic = "legacy/kiln1/coal"', 'topic = "plant/acme/wuhu/pyro/k1/k1-kiln"', "meter.k1-kiln", "topic", "as meter `k1-coal` does", "its own"),
    ('topic = "legacy/kiln1/coal"', 'topic = "plant/acme/wuhu/pyro/k1/k1-kiln/feed"', "meter.k1-coal", "topic", "bare numbers", "another topic"),
    (FEED, "feed = 3", f"{K1_KILN}.feed", "", "should be a table", "meter.k1-kiln"),
    (FEED, 'feed = { kind = "rate" }', f"{K1_KILN}.feed", "unit", "is missing", "t/h"),
    (FEED, 'feed = { unit = "t/h" }', f"{K1_KILN}.feed", "kind", "is missing", "rate"),
    (FEED, 'feed = { unit = "t/h", kind = "flow" }', f"{K1_KILN}.feed", "kind", "none of the choices", "`rate`"),
    (FEED, 'feed = { unit = "t", kind = "rate" }', f"{K1_KILN}.feed", "unit", "no rate", "t/h"),
    (FEED, 'feed = { unit = "t/h", kind = "amount" }', f"{K1_KILN}.feed", "unit", "it is a rate", "`t`"),
    (FEED, 'feed = { unit = "degC", kind = "counter" }', f"{K1_KILN}.feed", "unit", "cannot be added up", "level"),
    (FEED, 'feed = { unit = "tph", kind = "rate" }', f"{K1_KILN}.feed", "unit", "unknown unit `tph`", "t/h"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", period = "1min" }', f"{K1_KILN}.feed", "period", "does not go with kind `rate`", "amount"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", modulus = 10 }', f"{K1_KILN}.feed", "modulus", "only a counter wraps", "counter"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", steps = 1 }', f"{K1_KILN}.feed", "steps", "unknown key", "`step`"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", step = 0 }', f"{K1_KILN}.feed", "step", "not above zero", "above zero"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", range = [500, 0] }', f"{K1_KILN}.feed", "range", "where it begins", "[lowest, highest]"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", range = [0, inf] }', f"{K1_KILN}.feed", "range", "not a finite number", "decimal"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", range = [0, 5000000] }', f"{K1_KILN}.feed", "step", "64 bits", "coarser `step`, at least 1e-05"),
    (FEED, 'feed = { unit = "t/h", kind = "rate", max_gap = "30 seconds" }', f"{K1_KILN}.feed", "max_gap", "`seconds`", "30s"),
    (FEED, FEED.replace("material:raw-meal", "material:raw meal"), f"{K1_KILN}.feed", "counts", "no material `raw meal`", "`raw-meal`"),
    (COAL, COAL.replace("fuel:bituminous", "fuel:bitumnous"), K1_COAL, "counts", "no fuel `bitumnous`", "`bituminous`"),
    (FEED, FEED.replace("material:raw-meal", "raw-meal"), f"{K1_KILN}.feed", "counts", "nothing that is counted", "material:ID"),
    (FEED, FEED.replace("material:raw-meal", "electricity"), f"{K1_KILN}.feed", "unit", "counted in kWh", "correct `counts`"),
    (FEED, FEED.replace("t/h", "kW"), f"{K1_KILN}.feed", "unit", "`kWh` is energy", "`t`"),
    (FEED, FEED + "\nts = { unit = \"t\", kind = \"amount\" }", f"{K1_KILN}.ts", "field", "reserved key", "`field`"),
    (FEED, FEED + '\nraw = { unit = "t/h", kind = "rate", field = "feed" }', f"{K1_KILN}.raw", "field", "field of `feed` too", "its own"),
    (FEED, FEED + '\nfeed_q = { unit = "1", kind = "level" }', f"{K1_KILN}.feed_q", "field", "quality of `feed`", "rename"),
    (FEED, FEED + '\n"fe=ed" = { unit = "t/h", kind = "rate" }', f"{K1_KILN}.fe=ed", "", "separates a tag", "letters"),
    (FEED, FEED + '\nx = { unit = "t/h", kind = "rate", water = "wet" }', f"{K1_KILN}.x", "water", "stack's gas", "leave it out"),
    (FEED, FEED + '\nx = { unit = "t/h", kind = "rate", waste = true }', f"{K1_KILN}.x", "waste", "materials and fuels", "counts"),
    (CLINKER, CLINKER.replace("feed", "food"), f"{K1_KILN}.clinker", "of", "no channel `food`", "`feed`"),
    (CLINKER, CLINKER.replace('times = "0.62", ', ""), f"{K1_KILN}.clinker", "times", "is missing", "0.62"),
    (CLINKER, CLINKER.replace("kind", 'step = "0.1", kind'), f"{K1_KILN}.clinker", "step", "from its source", "leave it out"),
    (CLINKER, CLINKER + '\nmore = { kind = "derived", of = "clinker", times = 2 }', f"{K1_KILN}.more", "of", "derived itself", "measured"),
    (COAL, COAL.replace('rise_max = "1/min", ', ""), K1_COAL, "rise_max", "reset cannot be told from a wrap", "50/min"),
    (COAL, COAL.replace("1/min", "1 kWh/min"), K1_COAL, "rise_max", "energy per time", "1 t/min"),
    (COAL, COAL.replace('"0.01"', '"0.03"'), K1_COAL, "modulus", "whole number of steps", "divides"),
    (COAL, COAL.replace("bituminous", "bitumen"), K1_COAL, "counts", "no fuel `bitumen`", "`bituminous`"),
    (COAL, COAL.replace('"t"', '"m3"'), K1_COAL, "unit", "counted in t", "`t`"),
    (SCRAP, SCRAP.replace("amount", "level"), "meter.eaf1-main.channels.scrap", "counts", "never adds up", "amount"),
    (NOX, NOX.replace("wet", "moist"), "meter.cems1.channels.nox", "water", "none of the choices", "`dry`"),
    (NOX, NOX.replace("}", ', counts = "co2" }'), "meter.cems1.channels.nox", "counts", "belongs to no line", "meter of the line"),
    (NOX, NOX.replace("mg/m3", "mg/Nm3"), "meter.cems1.channels.nox", "state", "standard state already", "leave it out"),
    ('o2 = { unit = "%"', 'o2 = { unit = "Pa"', "meter.cems1.channels.o2", "unit", "is in `%`", "correct the unit"),
    ('id = "nox-high"\n', "", "alarm[1]", "id", "is missing", "nox-high"),
    (ON, "", "alarm.nox-high", "on", "is missing", "pollutant"),
    (ON, ON.replace("tail", "tale"), "alarm.nox-high.on", "stack", "no stack", "`tail`"),
    (ON, ON.replace('"nox"', '"so2"'), "alarm.nox-high.on", "pollutant", "`so2`", "`nox`"),
    (ON, ON.replace("1min", "7min"), "alarm.nox-high.on", "average", "no average over `7min`", "`1h`"),
    (ON, 'on = { line = "k1", degree = "lcd", window = "2h" }', "alarm.nox-high.on", "window", "no window `2h`", "[scoring] windows"),
    (ON, 'on = { scope = "site:acme/wuhan", degree = "lcd", window = "1h" }', "alarm.nox-high.on", "scope", "no scope", "site:acme/wuhu"),
    (ON, 'on = { line = "k1", degree = "gcd", window = "1h" }', "alarm.nox-high.on", "degree", "none of the choices", "`gd`"),
    (ON, 'on = { line = "k1", degree = "gd" }', "alarm.nox-high.on", "window", "is missing", "degree over a window"),
    (LIMIT, 'limit = { at = "high" }', "alarm.nox-high.limit", "at", "not a number", "decimal"),
    (LIMIT, 'limit = { at = 50, deadband = "2 kWh" }', "alarm.nox-high.limit", "deadband", "energy", "mg/m3"),
    (LIMIT, LIMIT + '\npriority = "urgent"', "alarm.nox-high", "priority", "none of the choices", "`critical`"),
    ("value = 0.5366", 'value = "0,5366"', "factor.grid:CN", "value", "not a number", "decimal"),
    ("from = 2022-01-01", 'from = "2022-13-01"', "factor.grid:CN", "from", "not a day", "2026-01-01"),
    ("from = 2022-01-01", "from = 2022-01-01T00:00:00Z", "factor.grid:CN", "from", "moment", "the day alone"),
    ("from = 2022-01-01", "from = 2022-01-01\nto = 2021-01-01", "factor.grid:CN", "to", "before it begins", "later day"),
    ('ncv = "25.8 GJ/t"', 'ncv = "25.8 GJ/h"', "fuel.bituminous", "ncv", "energy per time", "GJ/t"),
    ('ncv = "25.8 GJ/t"', "ncv = 25.8", "fuel.bituminous", "ncv", "has no unit", "25.8"),
    ("biogenic = 0.0", "biogenic = 40", "fuel.bituminous", "biogenic", "not a share", "40 %"),
    ('best_peer = "12000 t/person-year"', 'best_peer = "12000 t/year"', "product.clinker", "best_peer", "unknown unit `year`", "person-year"),
    ('process = "0.525 t CO2/t"', 'process = "0.525 t CO2/kWh"', "product.clinker", "process", "mass per energy", "t/t"),
    ("counts_gd = true", 'counts_gd = "true"', "material.raw-meal", "counts_gd", "true or false", "without quotes"),
    ('product = "clinker"\nvalue', 'product = "klinker"\nvalue', "benchmark.eu-ets-grey-clinker", "product", "no product", "`clinker`"),
    ('boundary = "stage"', 'boundary = "gate"', "benchmark.eu-ets-grey-clinker", "boundary", "none of the choices", "`chain`"),
    ('boundary = "stage"', "", "benchmark.eu-ets-grey-clinker", "boundary", "is missing", "stage"),
    ("o2_ref = 10", "o2_ref = 22", "regime.cn-cement-ultra-low", "o2_ref", "not below", "reference oxygen"),
    ('hour_valid = "45min"', 'hour_valid = "61min"', "regime.cn-cement-ultra-low", "hour_valid", "61min of 1h", "part"),
    ('averages = ["1h"]', 'averages = ["3h"]', "regime.cn-cement-ultra-low", "averages", "`3h`", "`1d`"),
    ("nox = 50 }", "nox = 0 }", "regime.cn-cement-ultra-low", "limits", "not above zero", "leave out"),
    ('standard = "273 K"', 'standard = "0 K"', "regime.cn-cement-ultra-low", "standard", "no standard state", "273.15 K"),
    ('"8h", "24h"', '"8h", "480min"', "scoring", "windows", "one window", "keep one"),
    ('"8h", "24h"', '"8h", "90min30s"', "scoring", "windows", "not a duration", "15min"),
    ('"8h", "24h"', '"8h", "3601s"', "scoring", "windows", "1min steps", "multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "table", "key", "cause", "mend"), CASES)
def test_each_mistake(old: str, new: str, table: str, key: str, cause: str, mend: str) -> None:
    """The one thing that is wrong is reported once, where it stands, with why and what to do."""
    found = mistakes(changed(old, new))
    here = [m for m in found if (m.table, m.key) == (table, key)]
    assert here, f"not at [{table}] {key}: {[str(m) for m in found]}"
    assert cause in here[0].cause
    assert mend in here[0].mend
    assert here[0].file == "plant.toml"


@pytest.mark.parametrize("case", range(len(CASES)))
def test_one_mistake_is_not_many(case: int) -> None:
    """A mistake draws at most two others after it: nobody hunts for echoes."""
    old, new, *_ = CASES[case]
    found = mistakes(changed(old, new))
    assert len(found) <= 3, [str(m) for m in found]
    assert all(m.cause and m.mend for m in found)


BAD_NAMES = {
    "new\\nline": "newline",
    "a,b": "separates tags",
    "a b": "space",
    "a=b": "separates a tag",
    "a/b": "levels of a topic",
    "a+b": "wildcard",
    "a#b": "wildcard",
    '\\"a': "quotes",
    "it's": "quotes",
    "back\\\\": "backslash",
    "<script>": "page",
    "\\u0000": "zero character",
    "\\u202e": "neither letter nor digit",
    "e\\u0301": "neither letter nor digit",
    "_field": "InfluxDB keeps",
    "..": "folder",
    "": "empty",
}


@pytest.mark.parametrize(("name", "why"), BAD_NAMES.items())
@pytest.mark.parametrize("where", ["site", "line", "stack", "meter", "channel"])
def test_names(name: str, why: str, where: str) -> None:
    """A name with a character that has a meaning in topics, line protocol or pages is refused, and it says which."""
    table = (
        f'[{where}."{name}"]\n'
        if where != "channel"
        else f'[meter.x]\nline = "k1"\nevery = "1s"\n[meter.x.channels."{name}"]\n'
    )
    found = mistakes(EXAMPLE + table)
    assert any(why in m.cause for m in found), [str(m) for m in found]
    assert all("\n" not in str(m) for m in found)


def test_every_mistake_at_once() -> None:
    """Mistakes in eight tables are reported together, and tables that refer to a broken one are not blamed."""
    text = EXAMPLE
    for old, new in [
        ("schema = 1", "schema = 3\nsceme = 1"),
        ('past = "72h"', 'past = "3 weeks"'),
        ('timezone = "Asia/Shanghai"', 'timezone = "Mars/Olympus"'),
        ("people = 14", 'people = "many"'),
        ('regime = "cn-cement-ultra-low"', 'regime = "none"'),
        (FEED, FEED.replace("t/h", "t/hr")),
        (COAL, COAL.replace('rise_max = "1/min", ', "")),
        (LIMIT, 'limit = { at = 50, deadband = "2 %%" }'),
        ('ncv = "25.8 GJ/t"', 'ncv = "much"'),
        ('windows = ["1min"', 'windows = ["1 moment"'),
    ]:
        assert old in text
        text = text.replace(old, new, 1)
    found = {(m.table, m.key) for m in mistakes(text)}
    assert found == {
        ("registry", "schema"),
        ("registry", "sceme"),
        ("intake", "past"),
        ("site.wuhu", "timezone"),
        (K1, "people"),
        ("stack.tail", "regime"),
        (f"{K1_KILN}.feed", "unit"),
        (K1_COAL, "rise_max"),
        ("alarm.nox-high.limit", "deadband"),
        ("fuel.bituminous", "ncv"),
        ("scoring", "windows"),
    }


@pytest.mark.parametrize(
    ("old", "new", "causes"),
    [
        (
            'windows = ["1min", "15min", "1h", "8h", "24h", "30d"]',
            'windows = ["0s", "7x", "1h", "3601s", 5, "40000d"]',
            ["is zero", "`x` is not a unit", "its 1min steps", "`5` should be a text", "longer than ten years"],
        ),
        ('averages = ["1h"]', 'averages = ["1h", "2h", "soon"]', ["2h", "soon"]),
        ('lines = ["k1"]', 'lines = ["k1", "a/b", "c#"]', ["/", "#"]),
    ],
)
def test_every_value_of_a_list(old: str, new: str, causes: list[str]) -> None:
    """A list with several bad values has as many mistakes, in their order."""
    assert old in EXAMPLE
    found = mistakes(EXAMPLE.replace(old, new, 1))
    assert len(found) == len(causes), [str(m) for m in found]
    assert all(cause in m.cause for m, cause in zip(found, causes, strict=True)), [str(m) for m in found]
    assert all(m.mend for m in found)


def test_duplicates() -> None:
    """Two entries for one day, two alarms of one id on one stack, two meters measuring one gas of a stack."""
    factor = '[[factor]]\nid = "grid:CN"\nvalue = 1\nunit = "kg/kWh"\nfrom = 2022-01-01\n'
    alarm = f'[[alarm]]\nid = "nox-high"\n{ON}\n{LIMIT}\n'
    meter = f'[meter.cems2]\nstack = "tail"\nevery = "1s"\n[meter.cems2.channels]\n{NOX}\n'
    assert [(m.table, m.key) for m in mistakes(EXAMPLE + factor)] == [("factor.grid:CN", "from")]
    assert [(m.table, m.key) for m in mistakes(EXAMPLE + alarm)] == [("alarm.nox-high", "id")]
    assert [m.table for m in mistakes(EXAMPLE + meter)] == ["meter.cems2.channels.nox"]


def test_sections_of_the_wrong_shape() -> None:
    """`[[line]]` for `[line.NAME]`, and the other way round, is said in these words."""
    assert "[line.NAME]" in mistakes("[[line]]\nsite = 1\n")[0].mend
    assert "[[factor]]" in mistakes("[factor.x]\nvalue = 1\n")[0].mend
    assert "should be a table" in mistakes("factor = [3]\n")[0].cause
    assert "should be a table" in mistakes("[meter]\nk1 = 3\n")[0].cause
