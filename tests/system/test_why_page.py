"""The WHY row and the bands in a real Chromium, on a real engine: what they show is what the API gives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from devices.plant import load
from devices.readings_file import read
from greengauge.page.app import build
from greengauge.page.server import PageServer
from scoring.engine import Engine
from scoring.why import Why
from tests.greengauge.page.driver import Driver
from tests.system.why_plant import HOUR, LINE, REGISTRY, T, rows

pytestmark = pytest.mark.system

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
GAUGE = f'[data-testid="gauge"][data-scope="{LINE}"][data-degree="lcd"]'
CAUSE = '[data-testid="why-cause"]'


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """A plant of two hours behind a real server."""
    registry, readings = tmp_path / "plant.toml", tmp_path / "readings.csv"
    registry.write_text(REGISTRY)
    readings.write_text("\n".join(["ts,meter,channel,value", *(",".join(map(str, row)) for row in rows())]))
    plant = load(registry)
    engine = Engine(plant)
    for batch in read(readings, plant):
        engine.push(batch)
    driver = Driver(plant, tmp_path)
    driver.live.simulated = False
    driver.live.clock = engine.clock
    driver.live.put_scores(*engine.live(), engine.alarms())

    async def why(scope: str, degree: str, window: str, at: int | None, before: int | None) -> Why:
        return engine.why(scope, degree, window, at, before)

    server = PageServer("127.0.0.1", 0)
    server.serve(build(replace(driver.context, why=why)))
    task = asyncio.create_task(server.run())
    yield server.port
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    driver.close()


@pytest.fixture
async def page(port: int) -> AsyncIterator[Page]:
    async with async_playwright() as play:
        found = shutil.which("chromium")
        assert found, "chromium is not on PATH"
        browser = await play.chromium.launch(executable_path=found, args=ARGS)
        tab = await browser.new_page(viewport={"width": 1366, "height": 768})
        said: list[str] = []
        tab.on("pageerror", lambda problem: said.append(str(problem)))
        tab.on("console", lambda message: said.append(message.text))
        await tab.goto(f"http://127.0.0.1:{port}/")
        yield tab
        if where := os.environ.get("GREENGAUGE_SCREENSHOT"):
            await tab.screenshot(path=where)
        await browser.close()
        assert said == []


async def told(port: int, **asked: str) -> dict[str, Any]:
    query = "&".join(f"{name}={value}" for name, value in asked.items())

    def get() -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/why?{query}") as answer:
            return json.load(answer)

    found: dict[str, Any] = await asyncio.to_thread(get)
    return found


async def test_the_row_is_the_api_s(port: int, page: Page) -> None:
    """A click on the gauge: the same text, and a bar for each cause with the API's very number."""
    await page.locator(GAUGE).locator(".value").click()
    why = await told(port, scope=LINE, degree="lcd", window="1h")
    await expect(page.locator("#why .text")).to_have_text(why["text"])
    await expect(page.locator(CAUSE)).to_have_count(len(why["causes"]))
    shown = await page.locator(CAUSE).evaluate_all("all => all.map(n => [n.dataset.cause, +n.dataset.contribution])")
    assert shown == [[c["cause"], c["contribution"]] for c in why["causes"]]
    assert len(shown) >= 3
    assert (why["ts"], why["before"]) == (T + HOUR, T)
    assert await page.locator("#why").get_attribute("data-change") == str(why["change"])


async def test_keys_open_and_close_it(page: Page) -> None:
    """Y: the chosen place's low-carbon degree, or the gauge in focus; Escape closes and gives the focus back."""
    await expect(page.locator(GAUGE)).to_have_attribute("data-state", "ok")
    await page.keyboard.press("y")
    await expect(page.locator("#why h2")).to_contain_text("Why low-carbon")
    await page.keyboard.press("Escape")
    await expect(page.locator("#why")).to_be_hidden()
    green = page.locator(f'[data-testid="gauge"][data-scope="{LINE}"][data-degree="gd"]').get_by_role("button")
    await green.focus()
    await page.keyboard.press("y")
    await expect(page.locator("#why h2")).to_contain_text("Why green")
    await expect(green).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(green).to_be_focused()


async def test_a_withheld_side_says_why(page: Page) -> None:
    """SD over 24 h: there is no day before this one."""
    await page.locator(f'[data-testid="gauge"][data-scope="{LINE}"][data-degree="sd"]').get_by_role("button").click()
    await expect(page.locator("#why .text")).to_contain_text("before: no readings in the window")


async def test_the_band_is_the_score_s(page: Page, port: int) -> None:
    """The bracket's ends, and the words for those who do not see it."""
    meter = page.locator(GAUGE).get_by_role("meter")
    low, high = 0.8833966562318034, 0.9092862705974649  # derived in test_uncertainty_cases
    assert float(await meter.get_attribute("data-low") or 0) == pytest.approx(low, rel=1e-12)
    assert float(await meter.get_attribute("data-high") or 0) == pytest.approx(high, rel=1e-12)
    await expect(meter).to_have_attribute("aria-valuetext", "0.896, 0.883 to 0.909, benchmark 1.0")
    await expect(page.locator(GAUGE)).to_contain_text("0.883 to 0.909")


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"degree": "lcd", "window": "1h"}, "no scope is named"),
        ({"scope": "line:acme/works/hall/q", "degree": "lcd", "window": "1h"}, "there is no scope"),
        ({"scope": LINE, "degree": "co2", "window": "1h"}, "there is no degree"),
        ({"scope": LINE, "degree": "lcd", "window": "30d"}, "there is no window"),
        ({"scope": LINE, "degree": "lcd", "window": "1h", "at": str(T), "before": str(T)}, "not before"),
        ({"scope": LINE, "degree": "lcd", "window": "1h", "at": str(T + 5 * HOUR)}, "not there yet"),
        ({"scope": LINE, "degree": "lcd", "window": "1h", "before": str(T - 999 * HOUR)}, "sums are kept for"),
    ],
)
async def test_what_cannot_be_asked(port: int, asked: dict[str, str], cause: str) -> None:
    """400, and what to do instead."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        await told(port, **asked)
    body = json.load(refused.value)["error"]
    assert refused.value.code == 400
    assert cause in body["cause"]
    assert body["mend"]
