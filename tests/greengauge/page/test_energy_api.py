"""`/api/v1/energy` and `/api/v1/league`, over httpx's ASGI transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from devices.plant import load
from greengauge.page.app import build
from scoring.results import Changes
from tests.greengauge.page.driver import ONE, Driver, energy, score

NOW = 1_763_800_000_000
K1 = "line:acme/wuhu/pyro/k1"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    made = Driver(load(ONE), tmp_path)
    made.live.clock = NOW
    made.specific = [
        energy(),
        energy(window="24h", completeness=0.95),
        energy(energy="heat", value=None, reason="no fuel is metered", norm=None, levels=()),
        energy("site:acme/wuhu", window="24h", completeness=0.5),
    ]
    yield made
    made.close()


@pytest.fixture
async def client(driver: Driver) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(driver.context), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420") as made:
        yield made


async def test_the_energy_object(client: httpx.AsyncClient) -> None:
    """The score object with energy and product in place of the degree, and where it stands in its norm."""
    body = (await client.get("/api/v1/energy", params={"scope": K1, "energy": "comprehensive", "window": "1h"})).json()
    [told] = body["energy"]
    assert (told["value"], told["numerator"], told["denominator"]) == (105.0, 21_000.0, 200.0)
    assert (told["norm"], told["norm_level"], told["levels"]) == ("GB 16780-2021 clinker", 2, [100.0, 107.0, 117.0])
    assert (told["next"], told["distance"], told["distance_percent"]) == (100.0, 5.0, 5.0)
    assert told["simulated"] is True
    assert "degree" not in told


@pytest.mark.parametrize(
    ("query", "count"), [("", 4), ("energy=heat", 1), ("product=cement", 0), ("window=24h", 2), (f"scope={K1}", 3)]
)
async def test_filters(client: httpx.AsyncClient, query: str, count: int) -> None:
    """Each leaves out what does not fit."""
    assert len((await client.get(f"/api/v1/energy?{query}")).json()["energy"]) == count


async def test_at_reads_the_history(client: httpx.AsyncClient, driver: Driver) -> None:
    """`at` the closed step then, `known_at` as it was known then."""
    quarter = NOW - NOW % 900_000
    driver.history.add(Changes(energies=(energy(ts=quarter, value=110.0, known_at=quarter),)))
    again = energy(ts=quarter, value=111.0, revision=1, lifecycle="restated", known_at=quarter + 60_000)
    driver.history.add(Changes(energies=(again,)))
    for known, value in ((quarter, 110.0), (quarter + 60_000, 111.0)):
        found = (await client.get(f"/api/v1/energy?product=clinker&at={quarter + 5}&known_at={known}")).json()["energy"]
        assert [e["value"] for e in found] == [value]


async def test_the_league(client: httpx.AsyncClient) -> None:
    """A table a level; the site with half its data is named and not ranked."""
    body = (await client.get("/api/v1/league?product=clinker&by=comprehensive&window=24h")).json()
    assert (body["better"], body["products"]) == ("lower", ["clinker", "eaf-carbon-steel"])
    tables = {table["level"]: table["places"] for table in body["tables"]}
    assert [(p["scope"], p["rank"], p["value"]) for p in tables["line"]] == [(K1, 1, 105.0)]
    [site] = tables["site"]
    assert (site["rank"], site["standing"]) == (None, "unranked")
    assert site["reason"] == "only 50 % of the data; 90 % are asked for"
    body = (await client.get("/api/v1/league?product=clinker&window=24h&least=0.5")).json()
    assert body["tables"][1]["places"][0]["rank"] == 1


async def test_the_league_of_a_degree(client: httpx.AsyncClient, driver: Driver) -> None:
    """From the live scores, or from the history at a time."""
    driver.live.put_scores([score()], [], [])
    driver.history.add(Changes((score(ts=NOW - 3_600_000, value=0.8),), (), ()))
    for more, value in (("", 0.874767), (f"&at={NOW - 1000}", 0.8)):
        body = (await client.get(f"/api/v1/league?product=clinker&by=lcd&window=1h{more}")).json()
        assert body["better"] == "higher"
        assert [p["value"] for p in body["tables"][0]["places"]] == [value]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("league?product=clincer", "product"), ("league?by=power", "by"), ("league?window=2h", "window"),
        ("league?least=2", "least"), ("league?least=nan", "least"), ("league?least=most", "least"),
        ("league?level=line", "level"), ("energy?degree=lcd", "degree"), ("energy?at=yesterday", "at"),
    ],
)  # fmt: skip
async def test_a_bad_question_is_told_why(client: httpx.AsyncClient, path: str, where: str) -> None:
    """400 with cause, where and mend."""
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["where"] == where
    assert error["cause"]
    assert error["mend"]
