"""Parts that settings name: how much they keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from greengauge.parts import store_of
from greengauge.settings import Settings
from ingest.store.embedded import EmbeddedStore
from tests.ingest.store.contract import T0, held, line, of

DAY = 86_400_000


@pytest.mark.parametrize(("given", "kept"), [({}, 90), ({"store_days": 2.5}, 2.5), ({"store_days": 0}, None)])
async def test_the_embedded_store_keeps_so_many_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, float], kept: float | None
) -> None:
    """`store_days` behind its newest reading; 0 is for ever."""
    monkeypatch.setattr("ingest.store.embedded._TRIM_EVERY_S", 0.0)
    store = store_of(Settings(data=tmp_path, **given))  # type: ignore[arg-type] # of one type
    assert isinstance(store, EmbeddedStore)
    within = int((kept or 3650) * DAY) - 1000
    times = [T0 - within - 5000, T0 - within, T0]
    await store.write([line(ts, {"a": 1.0}) for ts in times])
    assert [ts for ts, _ in await held(store, of("a"), 0, T0)] == (times if kept is None else times[1:])
    await store.close()
