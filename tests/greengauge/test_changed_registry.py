"""`Decoders`: records that came under an older registry, told in the present one's words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from devices.plant import load
from devices.readings import Mark, Readings
from greengauge.versions import Decoders
from ingest.log.codec import size
from ingest.log.record import Entry, Record, RecordKind

T = 1_763_800_020_000
REGISTRY = """
schema = 1
[site.s]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
[line.k1]
site = "s"
area = "pyro"
[meter.m1]
line = "k1"
every = "1min"
[meter.m1.channels]
coal = { COAL }
kwh = { unit = "kWh", kind = "counter", step = "1" }
"""
COAL = 'unit = "t/h", kind = "rate", step = "0.001"'


def publish(topic: str, payload: str) -> bytes:
    """A QoS 1 PUBLISH frame of MQTT 3.1.1."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + b"\0\1" + payload.encode()
    assert len(body) < 128
    return bytes((0x32, len(body))) + body


def told(folder: Path, before: str, now: str, number: str) -> Readings:
    """One reading of coal, received under one registry, read under another."""
    for name, coal in (("before", before), ("now", now)):
        (folder / f"{name}.toml").write_text(REGISTRY.replace("COAL", coal))
    old, new = load(folder / "before.toml"), load(folder / "now.toml")
    frame = publish("plant/acme/s/pyro/k1/m1", f'{{"ts": {T}, "coal": {number}, "kwh": 7}}')
    entry = Entry(RecordKind.FRAMES, frame, T, old.version, 4)
    Decoders(old, folder / "registry", folder / "before.toml")
    readings = (
        Decoders(new, folder / "registry", folder / "now.toml")
        .decode([Record(entry, 0, size(entry) - len(frame), size(entry))])
        .readings
    )
    coal, kwh = (new.channel("m1", name).index for name in ("coal", "kwh"))
    assert readings.value[readings.channel == kwh].tolist() == [7]
    return readings.take(readings.channel == np.int32(coal))


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (COAL, 12_346),
        ('unit = "t/h", kind = "rate", step = "0.01"', 1_235),  # from the text 12.3455 again, not from 12.346
        ('unit = "t/h", kind = "rate", step = "0.0001"', 123_455),
        ('unit = "kg/h", kind = "rate", step = "1"', 12_346),  # 12,345.5: half to even
    ],
)
def test_a_changed_step_or_unit_is_counted_anew(tmp_path: Path, now: str, count: int) -> None:
    """A step ten times as coarse must not make ten times the coal of yesterday's log."""
    readings = told(tmp_path, COAL, now, "12.3455")
    assert readings.value.tolist() == [count]
    assert readings.mark.tolist() == [0]
    assert readings.number(0) == b"12.3455"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (COAL, 'unit = "t", kind = "amount", step = "0.001"'),
        (COAL, f"{COAL}, range = [0, 12]"),
        ('unit = "t", kind = "counter", step = "1"', 'unit = "t", kind = "amount", step = "1"'),
    ],
)
def test_what_meant_something_else_is_stored_but_not_scored(tmp_path: Path, before: str, now: str) -> None:
    """A counter's reading is no amount; a number outside today's range is out of range."""
    readings = told(tmp_path, before, now, "13")
    assert (readings.value.tolist(), readings.mark.tolist()) == ([0], [int(Mark.OUT_OF_RANGE)])
    assert readings.number(0) == b"13"


def test_half_a_copy_is_written_again(tmp_path: Path) -> None:
    """A kill in the midst of keeping the registry must not leave half of it for later."""
    source = tmp_path / "p.toml"
    source.write_text(REGISTRY.replace("COAL", COAL))
    plant = load(source)
    copy = tmp_path / "registry" / f"{plant.version:016x}.toml"
    copy.parent.mkdir()
    copy.write_text("schema = 1\n[si")
    Decoders(plant, copy.parent, source)
    assert load(copy).version == plant.version
