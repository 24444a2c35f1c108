"""What is wrong about a regime, a permit, a substitution or a backup is said where it stands."""

from __future__ import annotations

import pytest

from devices.plant import parse
from devices.plant.report import warnings
from tests.devices.test_registry_mistakes import EXAMPLE, changed, mistakes

REGIME = "regime.cn-cement-ultra-low"
TAIL = 'lines = ["k1"]\nregime'
HERE = 'hour_valid = "45min"'
SPARE = """
[meter.spare]
stack = "tail"
every = "1s"
backup_of = "cems1"
[meter.spare.channels]
nox = { unit = "ppm", kind = "level" }
"""
CASES = [
    (HERE, 'block = "30min"\n' + HERE, REGIME, "averages", "half-hours", "`block`"),
    ('averages = ["1h"]', 'averages = ["1h", "30min"]', REGIME, "averages", "`30min`", "`block`"),
    ('averages = ["1h"]', 'averages = ["1h", "60min"]', REGIME, "averages", "twice", "keep one"),
    ('averages = ["1h"]', 'averages = ["0-operating-days"]', REGIME, "averages", "not an average", "30-operating-days"),
    (HERE, 'hour_rule = "quarters"', REGIME, "hour_rule", "none of the choices", "`quadrants`"),
    (HERE, "flags = { X = \"valid\" }", REGIME, "flags", "no HJ 212 letter", "N, F, M"),
    (HERE, "flags = { C = \"calibrated\" }", REGIME, "flags", "nothing here", "calibration"),
    (HERE, "confidence = { nox = 20 }", REGIME, "confidence", "not a share", "40 %"),
    (HERE, "day_discarded = -1", REGIME, "day_discarded", "not a whole number", "zero or more"),
    (HERE, "month_share = 95", REGIME, "month_share", "not a share", "from 0 to 1"),
    (HERE, 'per = "klinker"', REGIME, "per", "no product `klinker`", "clinker"),
    ("nox = 50 }", 'nox = "0.07 lb/short-ton" }', f"{REGIME}.limits", "nox", "per product", 'per = "clinker"'),
    ("nox = 50 }", 'nox = 50, voc = "20 ppm" }', f"{REGIME}.limits", "voc", "no molar mass", "molar"),
    ("nox = 50 }", 'nox = 50, "3h" = { nox = 40 } }', REGIME, "limits", "no average over `3h`", "`1mo`"),
    ("nox = 50 }", 'nox = 50, "1d" = { nox = 0 } }', REGIME, "limits", "not above zero", "leave out"),
    (TAIL, 'permit = { nox = "120 t/h" }\n' + TAIL, "stack.tail", "permit", "no mass", "120 t"),
    (TAIL, 'substitution = { rule = "max" }\n' + TAIL, "stack.tail.substitution", "hours", "is missing", "720"),
    (TAIL, 'substitution = { rule = "last", hours = 3 }\n' + TAIL, "stack.tail.substitution", "hours", "go", "leave"),
    ('average = "1min"', 'average = "30min"', "alarm.nox-high.on", "average", "no average over `30min`", "`1h`"),
    ('average = "1min"', 'average = "1min", watch = "budget"', "alarm.nox-high.on", "watch", "choices", "allowed_mean"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "table", "key", "cause", "mend"), CASES)
def test_each_mistake(old: str, new: str, table: str, key: str, cause: str, mend: str) -> None:
    """The one thing that is wrong is reported once, where it stands."""
    found = mistakes(changed(old, new))
    here = [m for m in found if (m.table, m.key) == (table, key)]
    assert len(here) == 1, f"not at [{table}] {key}: {[str(m) for m in found]}"
    assert cause in here[0].cause
    assert mend in here[0].mend


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ('backup_of = "cems1"', 'backup_of = "spare"', "itself"),
        ('backup_of = "cems1"', 'backup_of = "k1-kiln"', "same stack"),
        ('backup_of = "cems1"', 'backup_of = "cems"', "no meter `cems`"),
    ],
)
def test_backups(old: str, new: str, cause: str) -> None:
    """A backup stands in for another analyser of its stack."""
    assert parse(EXAMPLE + SPARE).meters
    found = [m for m in mistakes(EXAMPLE + SPARE.replace(old, new)) if m.key == "backup_of"]
    assert [cause in m.cause for m in found] == [True]


def test_entries_of_one_regime_agree() -> None:
    """Half-hours from next year on need a regime of their own: a stack's blocks do not change overnight."""
    later = '[regime.cn-cement-gb4915]\nblock = "30min"\naverages = ["30min"]\nfrom = 2030-01-01\n'
    (found,) = mistakes(EXAMPLE + later)
    assert (found.table, found.key) == ("regime.cn-cement-gb4915", "block")


def test_check_warns_of_mass_that_cannot_be_known() -> None:
    """A permit without a flow, and one for what nobody measures."""
    text = changed(TAIL, 'permit = { nox = "120 t", so3 = "1 t" }\n' + TAIL)
    causes = [c.cause for c in warnings(parse(text))]
    assert any("no channel `flow`" in cause for cause in causes)
    assert any("`so3`" in cause for cause in causes)


@pytest.mark.parametrize(
    ("average", "at", "unit", "low"),
    [("1h", 50, "mg/m3", False), ("1mo", 50, "mg/m3", False), ("1mo-within", 95, "%", True)],
)
def test_an_alarm_without_a_limit_takes_the_legal_one(average: str, at: int, unit: str, low: bool) -> None:
    """In the unit of its average; a share of hours trips when it falls."""
    alarm = f'[[alarm]]\nid = "legal"\non = {{ stack = "tail", pollutant = "nox", average = "{average}" }}\n'
    plant = parse(changed(HERE, HERE + '\nmonth_share = "95 %"') + alarm)
    (rule,) = [rule for rule in plant.alarms if rule.id == "legal"]
    assert (rule.average, rule.at, rule.unit, rule.low) == (average, at, unit, low)
