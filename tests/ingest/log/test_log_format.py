"""The bytes on disk are those of docs/log-format.md."""

from __future__ import annotations

from pathlib import Path

from ingest.log import Log
from ingest.log.record import Entry, RecordKind

GOLDEN = bytes.fromhex(
    # magic    crc      position         length   kind mqtt 0  received         registry
    "47475201 b97cc913 0000000000000000 06000000 01 05 0000 00785bab9a010000 f0debc9a78563412 300461620078"  # body
    "47475201 cde3c337 2e00000000000000 07000000 02 00 0000 e87b5bab9a010000 f0debc9a78563412 7b2261223a317d"
    "47475201 5fa6473a 5d00000000000000 00000000 03 00 0000 d07f5bab9a010000 f0debc9a78563412"
)
ENTRIES = [
    Entry(RecordKind.FRAMES, bytes.fromhex("300461620078"), 0x19AAB5B7800, 0x123456789ABCDEF0, 5),
    Entry(RecordKind.COMMAND, b'{"a":1}', 0x19AAB5B7800 + 1000, 0x123456789ABCDEF0, 0),
    Entry(RecordKind.TICK, b"", 0x19AAB5B7800 + 2000, 0x123456789ABCDEF0, 0),
]


def test_a_golden_segment_is_written(tmp_path: Path) -> None:
    """Three records give exactly these bytes in the file of position 0."""
    log = Log(tmp_path, segment_bytes=1 << 16)
    assert log.append(ENTRIES) == len(GOLDEN)
    log.close()
    assert (tmp_path / "00000000000000000000.segment").read_bytes() == GOLDEN


def test_a_golden_segment_is_read(tmp_path: Path) -> None:
    """The same bytes give back the three entries with their positions."""
    (tmp_path / "00000000000000000000.segment").write_bytes(GOLDEN)
    log = Log(tmp_path)
    records = log.read(0, 1 << 20)
    assert [record.entry for record in records] == ENTRIES
    assert [(r.position, r.body_at, r.end) for r in records] == [(0, 40, 46), (46, 86, 93), (93, 133, 133)]
    assert not log.damages()
    log.close()


def test_cursors_lie_where_the_page_says(tmp_path: Path) -> None:
    """The first move of `outputs` (cursor 2) is in its odd slot, the second in its even one."""
    log = Log(tmp_path)
    log.cursors.set("outputs", 0x1122)
    log.cursors.set("outputs", 0x3344)
    log.close()
    file = (tmp_path / "cursors").read_bytes()
    assert len(file) == 32 << 10
    odd, even = file[5 * 4096 : 5 * 4096 + 24], file[4 * 4096 : 4 * 4096 + 24]
    assert (odd[:4], odd[8:]) == (b"GGC\x01", bytes.fromhex("0100000000000000 2211000000000000"))
    assert (even[:4], even[8:]) == (b"GGC\x01", bytes.fromhex("0200000000000000 4433000000000000"))
