"""docs/api.md: every way to ask there is and no other, with the parameters that the service itself names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from devices.plant import load
from greengauge.page.app import build
from tests.greengauge.page.driver import ONE, Driver

PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text()
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| `(GET|POST) /", line)]
ASKED = {ask: row for row in ROWS for ask in re.findall(r"`([A-Z]+ /\S+)`", row[0])}


def routes(found: list[BaseRoute], under: str = "") -> Iterator[str]:
    for route in found:
        if isinstance(route, Mount):
            yield from routes(list(route.routes), route.path)
        elif isinstance(route, Route):
            method = "POST" if "POST" in (route.methods or ()) else "GET"
            yield f"{method} {under}{route.path.replace('{scope:path}', '{scope}')}"


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    made = Driver(load(ONE), tmp_path)
    yield made
    made.close()


def test_every_way_to_ask_is_documented_and_no_other(driver: Driver) -> None:
    """The first column is the routes of the app, but for the page itself."""
    assert set(ASKED) == set(routes(list(build(driver.context).routes))) - {"GET /"}


@pytest.mark.parametrize("ask", [ask for ask in ASKED if ask.startswith("GET /api/") and not ask.endswith("/stream")])
async def test_parameters_are_those_that_the_service_names(driver: Driver, ask: str) -> None:
    """A parameter that is none is refused with those that are: they stand in the table, and no other."""
    transport = httpx.ASGITransport(build(driver.context))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420") as client:
        refused = (await client.get(ask.partition(" ")[2], params={"nonsense": "1"})).json()["error"]
    row = ASKED[ask]
    told = set(re.findall(r"`([a-z_]+)`", row[1])) | ({"events"} if ask.endswith("/alarms") else set())
    assert refused["where"] == "nonsense"
    named = refused["mend"].removeprefix("use ")
    assert (set(named.split(", ")) if told else named) == (told or "leave it out: nothing is asked for here")


async def test_an_unknown_address_names_this_page(driver: Driver) -> None:
    """404 tells where the addresses stand."""
    transport = httpx.ASGITransport(build(driver.context))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420") as client:
        answer = await client.get("/api/v1/status")
    assert answer.status_code == 404
    assert "docs/api.md" in answer.json()["error"]["mend"]
