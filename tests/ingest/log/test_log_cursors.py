from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devices.errors import EnvironmentFailure
from ingest.log import Cursors, DataLock
from ingest.log.cursors import NAMES


def test_each_cursor_moves_alone_and_stays(tmp_path: Path) -> None:
    """Four positions, kept across a restart; a rewind moves one back."""
    cursors = Cursors(tmp_path / "cursors")
    for at, name in enumerate(NAMES):
        for position in range(at + 3):
            cursors.set(name, position * 1000 + at)
    cursors.set("store", 7)
    again = Cursors(tmp_path / "cursors")
    assert [again.get(name) for name in NAMES] == [7, 3001, 4002, 5003]
    assert (again.least(), again.greatest(), again.damaged) == (7, 5003, [])


@pytest.mark.parametrize("cut", range(24))
def test_a_torn_move_leaves_the_position_before(tmp_path: Path, cut: int) -> None:
    """Whatever part of a slot reached the disk, the cursor is at the old position or at the new one."""
    cursors = Cursors(tmp_path / "cursors")
    cursors.set("scores", 111)
    before = (tmp_path / "cursors").read_bytes()
    cursors.set("scores", 222)
    after = (tmp_path / "cursors").read_bytes()
    at = next(n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b) // 4096 * 4096
    (tmp_path / "cursors").write_bytes(before[:at] + after[at : at + cut] + before[at + cut :])
    torn = Cursors(tmp_path / "cursors")
    assert torn.get("scores") in {111, 222}
    assert not torn.damaged


def test_two_damaged_slots_are_said(tmp_path: Path) -> None:
    """With both slots gone the reader begins anew, and the page can say which one."""
    cursors = Cursors(tmp_path / "cursors")
    cursors.set("quarantine", 5)
    (tmp_path / "cursors").write_bytes(b"\xff" * 32768)
    assert Cursors(tmp_path / "cursors").damaged == list(NAMES)
    assert Cursors(tmp_path / "cursors").get("quarantine") == 0


def test_a_move_takes_no_new_block(tmp_path: Path) -> None:
    """The file is as large when made as it ever gets: moving works on a full disk."""
    cursors = Cursors(tmp_path / "cursors")
    blocks = (tmp_path / "cursors").stat().st_blocks
    assert blocks * 512 >= 32768
    for position in range(20):
        cursors.set("store", position)
    assert (tmp_path / "cursors").stat().st_blocks == blocks


def test_a_second_instance_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    """The data folder is locked by one process; a second one gets its pid and what to do."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
        "from pathlib import Path; from ingest.log import DataLock\n"
        "lock = DataLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(EnvironmentFailure, match=f"in use by process {holder.pid}"):
        DataLock(tmp_path)
    holder.kill()
    holder.communicate()
    with DataLock(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_an_environment_failure(tmp_path: Path) -> None:
    """A data folder below a file is refused in words."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match="--data"):
        DataLock(tmp_path / "file" / "data")
