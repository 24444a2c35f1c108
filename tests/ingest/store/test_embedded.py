from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from devices.errors import DamagedData, EnvironmentFailure
from ingest.store.base import StoreDown
from ingest.store.embedded import EmbeddedStore
from tests.ingest.store.contract import T0, StoreContract, held, line, of


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[EmbeddedStore]:
    it = EmbeddedStore(tmp_path)
    yield it
    await it.close()


class TestEmbeddedStore(StoreContract):
    async def test_survives_a_restart(self, store: EmbeddedStore, tmp_path: Path) -> None:
        """Points, and the types of fields, are there after closing and opening."""
        await store.write([line(T0, {"a": 1.0})])
        again = EmbeddedStore(tmp_path)
        assert await held(again, of("a"), T0 - 1, T0) == [(T0, 1.0)]
        assert [bad.field for bad in await again.write([line(T0, {"a": "text"})])] == ["a"]
        await again.close()

    async def test_new_series_are_found_after_a_query(self, store: EmbeddedStore) -> None:
        """A query's memory of matching series does not hide those that come later."""
        await store.write([line(T0, {"a": 1.0})])
        assert len(await held(store, of("a"), T0 - 1, T0)) == 1
        await store.write([line(T0 + 1, {"a": 2.0}, meter="m2")])
        assert len(await held(store, of("a"), T0 - 1, T0 + 1)) == 2

    async def test_a_full_disk_is_a_store_that_is_down(self, store: EmbeddedStore) -> None:
        """Nothing of the batch is known to be written, nothing is lost, and it works again afterwards."""
        store._db.execute("PRAGMA max_page_count = 12")
        with pytest.raises(StoreDown, match="full"):
            await store.write([line(T0 + i, {"a": float(i)}, meter=f"m{i}") for i in range(3000)])
        store._db.execute("PRAGMA max_page_count = 1000000")
        assert await store.write([line(T0, {"a": 1.0})]) == []
        assert await held(store, of("a"), T0 - 1, T0 + 9999) == [(T0, 1.0)]

    async def test_retention_bounds_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With `keep_ms`, points further behind the newest go."""
        monkeypatch.setattr("ingest.store.embedded._TRIM_EVERY_S", 0.0)
        it = EmbeddedStore(tmp_path / "bounded", keep_ms=1000)
        await it.write([line(T0 + i * 100, {"a": float(i)}) for i in range(50)])
        assert (await held(it, of("a"), 0, T0 * 2))[0][0] == T0 + 3900
        await it.close()

    def test_a_folder_that_cannot_be_is_said(self, tmp_path: Path) -> None:
        """No traceback for a bad data folder."""
        (tmp_path / "file").write_text("")
        with pytest.raises(EnvironmentFailure, match="cannot be opened"):
            EmbeddedStore(tmp_path / "file" / "data")


def test_a_file_that_is_no_store_is_told(tmp_path: Path) -> None:
    """Its name, the cause, and what to do about it."""
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(DamagedData, match="damaged") as told:
        EmbeddedStore(tmp_path)
    assert told.value.where == str(path)
    assert "move store.db away" in told.value.mend


async def test_damage_met_while_writing_needs_a_person(tmp_path: Path) -> None:
    """A page that turns bad under the running store: paused with file, cause and mend, not tried in a loop."""
    store = EmbeddedStore(tmp_path)
    await store.write([line(T0 + n, {"a": 1.0}) for n in range(5000)])
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await store.close()
    path = tmp_path / "store.db"
    with path.open("r+b") as file:
        file.seek(12 * 4096)  # rows, not the tables' roots
        file.write(b"\xff" * (path.stat().st_size - 12 * 4096))
    store = EmbeddedStore(tmp_path)
    with pytest.raises(StoreDown, match="damaged") as told:
        await store.write([line(T0 + n, {"a": 2.0}) for n in range(5000)])
    assert told.value.standing
    assert str(path) in told.value.cause
    assert "move store.db away" in told.value.cause
    await store.close()
