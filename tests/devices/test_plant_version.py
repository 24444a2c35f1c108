"""The version is a hash of everything that changes an output, and of nothing else."""

from __future__ import annotations

import json
import random
import tomllib
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.plant import parse
from tests.devices.registries import EXAMPLE, changed, example

SMALL = """
[site.s]
enterprise = "e"
timezone = "UTC"
[line.l]
site = "s"
area = "a"
[meter.m]
line = "l"
every = "1s"
[meter.m.channels]
kwh = { unit = "kWh", kind = "counter", counts = "electricity" }
"""

LISTS_IN_ANY_ORDER = ("factor", "benchmark", "alarm", "windows", "profiles")


def toml(value: Any, rng: random.Random, key: str = "") -> str:
    """A value as TOML, the keys of every table in any order."""
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v, rng, k)}" for k, v in items) + "}"
    if isinstance(value, list):
        items = list(value)
        if key in LISTS_IN_ANY_ORDER:
            rng.shuffle(items)
        return "[" + ", ".join(toml(v, rng) for v in items) + "]"
    if isinstance(value, date | Decimal):
        return str(value)
    return json.dumps(value)


def shuffled(text: str, rng: random.Random) -> str:
    """A registry with its tables and keys in another order."""
    items = list(tomllib.loads(text, parse_float=Decimal).items())
    rng.shuffle(items)
    return "\n".join(f"{k} = {toml(v, rng, k)}" for k, v in items)


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_and_tables_changes_nothing(rng: random.Random) -> None:
    """Version and compiled plant are the same for any order of keys, tables and entries."""
    assert parse(shuffled(EXAMPLE, rng)) == example()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# The registry", "# Our registry"),
        ('source = "recalled; set your own"', 'source = "ministry, 2024"'),
        ('grace = "15min"', 'grace = "900s"'),
        ("people = 14", "people = 14.0"),
        ('step = "0.001"', "step = 0.001"),
        ("counts_gd = true", ""),
        ('hour_valid = "45min"', 'hour_valid = "0.75h"'),
        ("[line.k1]", '[line."k1"]'),
    ],
)
def test_what_changes_no_output_changes_no_version(old: str, new: str) -> None:
    """Comments, sources, other ways to write the same value, defaults written out."""
    assert parse(changed(old, new)).version == example().version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('grace = "15min"', 'grace = "16min"'),
        ("people = 14", "people = 14.1"),
        ('times = "0.62"', 'times = "0.620001"'),
        ("above = 50", "above = 51"),
        ("value = 0.5366", "value = 0.53660001"),
        ("nox = 50 }", "nox = 51 }"),
        ("from = 2024-01-15", "from = 2024-01-14"),
        ('on_delay = "10s"', 'on_delay = "11s"'),
        ('water = "dry"', 'water = "wet"'),
        ('windows = ["1min", ', "windows = ["),
        ('field = "TOT_1"', 'field = "TOT_2"'),
        ("gauge = true", "gauge = false"),
        ("counts_gd = true", "counts_gd = false"),
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Urumqi"'),
    ],
)
def test_what_changes_an_output_changes_the_version(old: str, new: str) -> None:
    """Any number, name or date that a score, an alarm or a stored point depends on."""
    assert parse(changed(old, new)).version != example().version


def test_the_version_is_known() -> None:
    """63 bits, and the same on every machine and Python: logs and snapshots are bound to it."""
    assert 0 <= example().version < 2**63
    assert parse("").version == 5137156471615782136
    assert parse(SMALL).version == 7176651213360721781
