from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

from ingest.store.base import StoreDown
from ingest.store.influx import InfluxStore
from tests.ingest.store.contract import T0, StoreContract, held, line, of
from tests.system.influx import Influxd, influx, influx_server  # noqa: F401 - fixtures

pytestmark = pytest.mark.system


@pytest.fixture
async def store(influx: Influxd) -> AsyncIterator[InfluxStore]:
    it = InfluxStore(influx.url, influx.token)
    yield it
    await it.close()


def requests(store: InfluxStore) -> list[bytes]:
    """Every body written from here on."""
    bodies: list[bytes] = []

    def noting(write: Callable[[str, str, bytes], None], org: str, bucket: str, body: bytes) -> None:
        bodies.append(body)
        write(org, bucket, body)

    for lane in store._lanes:
        lane.http.write = partial(noting, lane.http.write)  # type: ignore[method-assign] # to count
    return bodies


class TestInfluxStore(StoreContract):
    async def test_the_name_tells_version_and_place(self, store: InfluxStore, influx: Influxd) -> None:
        """What the banner and the page show."""
        await store.write([line(T0, {"a": 1.0})])
        version = influx.get("/health")["version"].lstrip("v")
        assert store.name == f"InfluxDB {version} at {influx.url}"

    @pytest.mark.fault(6)
    async def test_a_standing_conflict_costs_one_request_more(self, store: InfluxStore) -> None:
        """It is found once, remembered by (measurement, field), and split off before sending."""
        await store.write([line(T0, {"a": "text", "b": 1.0})])
        bodies = requests(store)
        batch = [line(T0 + 1 + i, {"a": 1.0, "b": float(i)}) for i in range(1000)]
        assert len(await store.write(batch)) == 1000
        assert len(bodies) <= 3
        bodies.clear()
        assert len(await store.write(batch)) == 1000
        assert len(bodies) == 2
        assert len(await held(store, of("b"), T0, T0 + 9999)) == 1000

    @pytest.mark.fault(6)
    async def test_points_beyond_retention_are_found_at_once(self, influx: Influxd) -> None:
        """InfluxDB says where its retention ends: two requests more, whatever their number."""
        import time

        influx.new_bucket("short", keep_s=3600)
        store = InfluxStore(influx.url, influx.token, influx.org, "short")
        bodies = requests(store)
        now = time.time_ns() // 1_000_000
        batch = [line(now - (7_200_000 if i % 7 == 0 else 0) + i, {"a": 1.0, "b": 2.0}) for i in range(700)]
        bad = await store.write(batch)
        assert {point.line for point in bad} == set(range(0, 700, 7))
        assert all("retention" in point.reason.lower() and point.field == "" for point in bad)
        assert len(bodies) == 3
        assert len(await held(store, of("a"), 0, now * 2)) == 600
        await store.close()

    @pytest.mark.fault(6)
    async def test_points_beyond_retention_in_a_shard_of_newer_ones_are_taken(self, influx: Influxd) -> None:
        """InfluxDB stores them where a newer point of the same request opens their shard (an hour): not refused."""
        import time

        now = time.time_ns() // 1_000_000
        influx.new_bucket("cut", keep_s=7200 + (now // 1000 - 1800) % 3600)
        store = InfluxStore(influx.url, influx.token, influx.org, "cut")
        bound = now - 7_200_000 - (now - 1_800_000) % 3_600_000  # half past an hour
        ages = [i * 7_919 % 60 - 55 for i in range(60)]  # minutes from the bound, in no order
        batch = [line(bound + age * 60_000 + 30_000, {"a": 1.0, "b": 2.0}) for age in ages]
        bad = await store.write(batch)
        assert {ages[point.line] for point in bad} == set(range(-55, -30))
        assert len(await held(store, of("a"), 0, now)) == 35
        await store.close()

    @pytest.mark.fault(6)
    async def test_unnamed_faults_cost_at_most_thirty_requests_each(self, store: InfluxStore) -> None:
        """Lines that do not parse are hunted by halving."""
        bodies = requests(store)
        batch = [line(T0 + i, {"a": 1.0}) for i in range(5000)]
        for i in (17, 2600, 4999):
            batch[i] = b"reading,meter=m1 a=12x %d" % i
        assert [point.line for point in await store.write(batch)] == [17, 2600, 4999]
        assert len(bodies) <= 90
        assert len(await held(store, of("a"), T0 - 1, T0 + 9999)) == 4997

    async def test_a_field_bad_in_one_shard_only(self, store: InfluxStore) -> None:
        """Types are per shard (a week): the same field is stored where it fits."""
        week = 7 * 86_400_000
        await store.write([line(T0, {"a": "text"})])
        batch = [line(T0 + 1, {"a": 1.0, "b": 1.0}), line(T0 + 4 * week, {"a": 2.0, "b": 2.0})]
        for _ in range(2):
            assert [(point.line, point.field) for point in await store.write(batch)] == [(0, "a")]
        assert await held(store, of("b"), T0, T0 + 9 * week) == [(T0 + 1, 1.0), (T0 + 4 * week, 2.0)]
        assert await held(store, of("a"), T0, T0 + 9 * week) == [(T0 + 4 * week, 2.0)]

    async def test_a_wrong_token_is_standing(self, influx: Influxd) -> None:
        """401: a person is needed."""
        store = InfluxStore(influx.url, "wrong", influx.org, influx.bucket)
        with pytest.raises(StoreDown, match="401") as down:
            await store.write([line(T0, {"a": 1.0})])
        assert down.value.standing
        await store.close()

    async def test_a_missing_bucket_is_standing_and_heals(self, influx: Influxd) -> None:
        """The store's words name the bucket; once it is made, the same store writes."""
        store = InfluxStore(f"{influx.url}/?org={influx.org}&bucket=later", influx.token)
        with pytest.raises(StoreDown, match='bucket "later" not found') as down:
            await store.write([line(T0, {"a": 1.0})])
        assert down.value.standing
        influx.new_bucket("later")
        assert await store.write([line(T0, {"a": 1.0})]) == []
        await store.close()

    async def test_a_server_that_is_away_is_down(self, influx: Influxd) -> None:
        """Not standing: it is waited for; and it need not be there when we start."""
        influx.stop()
        store = InfluxStore(influx.url, influx.token)
        with pytest.raises(StoreDown, match="cannot be reached") as down:
            await store.write([line(T0, {"a": 1.0})])
        assert not down.value.standing
        influx.start()
        assert await store.write([line(T0, {"a": 1.0})]) == []
        await store.close()

    async def test_the_only_visible_bucket_is_taken(self, influx: Influxd) -> None:
        """A token for one bucket of another name needs no settings, and can be asked in InfluxQL."""
        token = influx.new_token(influx.new_bucket("plant7"), "read", "write")
        store = InfluxStore(influx.url, token)
        await store.write([line(T0, {"a": 1.0})])
        assert len(influx.rows("SELECT a FROM reading", "plant7")) == 1
        assert await held(store, of("a"), T0 - 1, T0) == [(T0, 1.0)]
        await store.close()

    async def test_greengauge_is_preferred_among_many(self, influx: Influxd) -> None:
        """The bucket of our name, if the token sees several; else it asks which."""
        influx.new_bucket("other")
        store = InfluxStore(influx.url, influx.token)
        await store.write([line(T0, {"a": 1.0})])
        assert len(influx.rows("SELECT a FROM reading")) == 1
        influx.request("DELETE", f"/api/v2/buckets/{influx.bucket_id()}")
        influx.new_bucket("third")
        lost = InfluxStore(influx.url, influx.token)
        with pytest.raises(StoreDown, match=r"several buckets .other, third.: set GREENGAUGE_INFLUX_BUCKET") as down:
            await lost.write([line(T0, {"a": 1.0})])
        assert down.value.standing
        await store.close()
        await lost.close()

    async def test_a_bucket_is_made_where_there_is_none(self, influx: Influxd) -> None:
        """With an all-access token and an empty server."""
        influx.request("DELETE", f"/api/v2/buckets/{influx.bucket_id()}")
        store = InfluxStore(influx.url, influx.token)
        await store.write([line(T0, {"a": 1.0})])
        assert len(influx.rows("SELECT a FROM reading")) == 1
        await store.close()

    async def test_a_token_that_can_only_write_writes(self, influx: Influxd) -> None:
        """It sees neither bucket nor organisation: the default names are tried; asking it is a standing refusal."""
        store = InfluxStore(influx.url, influx.new_token(influx.bucket_id(), "write"))
        assert await store.write([line(T0, {"a": 1.0})]) == []
        with pytest.raises(StoreDown, match="may the token read it") as down:
            await held(store, of("a"), T0 - 1, T0)
        assert down.value.standing
        await store.close()
