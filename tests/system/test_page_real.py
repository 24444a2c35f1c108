"""The page in a real Chromium on a real service: what it shows is what the API says, and it says when it is not."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page, expect, sync_playwright

from tests.system.mosquitto import Mosquitto, free_port, mosquitto  # noqa: F401 - fixtures
from tests.system.running import Running, until

pytestmark = pytest.mark.system

REGISTRY = """
schema = 1
profiles = ["cement"]
[site.works]
enterprise = "acme"
country = "CN"
region = "anhui"
timezone = "Asia/Shanghai"
electricity = "grid:CN"
[line.k1]
site = "works"
area = "pyro"
industry = "cement"
people = 14
lcd = { basis = "gross", power = true, benchmark = "own" }
[meter.kiln]
line = "k1"
every = "1s"
[meter.kiln.channels]
meal = { unit = "t", kind = "amount", period = "1s", step = "0.0001", counts = "material:raw-meal" }
slag = { unit = "t", kind = "amount", period = "1s", step = "0.0001", counts = "material:slag", waste = true }
clinker = { unit = "t", kind = "amount", period = "1s", step = "0.0001", counts = "product:clinker" }
coal = { unit = "t", kind = "amount", period = "1s", step = "0.0001", counts = "fuel:bituminous" }
[meter.power]
line = "k1"
every = "1s"
[meter.power.channels]
kwh = { unit = "kWh", kind = "counter", step = "0.01", counts = "electricity" }
[stack.tail]
lines = ["k1"]
regime = "cn-cement-ultra-low"
[meter.cems]
stack = "tail"
every = "1s"
[meter.cems.channels]
nox = { unit = "mg/m3", kind = "level", water = "dry", state = "standard" }
o2 = { unit = "%", kind = "level", water = "dry" }
[[alarm]]
id = "nox-high"
on = { stack = "tail", pollutant = "nox", average = "1min" }
limit = { at = 50, deadband = "2%", on_delay = "2s", off_delay = "60s" }
[material.slag]
[[benchmark]]
id = "own"
product = "clinker"
value = 0.75
unit = "t CO2/t"
basis = "gross"
power = true
boundary = "stage"
from = 2020-01-01
source = "of this test"
"""
ROOT_TOPIC = "plant/acme/works"
TOPICS = {"kiln": "pyro/k1/kiln", "power": "pyro/k1/power", "cems": "stack/tail/cems"}
PAST_S = 3700  # a full hour, so that the data is good
LINE = "line:acme/works/pyro/k1"
STACK = "stack:acme/works/tail"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


class Meters:
    """Three edge meters, a message a second each from one clock; each can be silenced."""

    def __init__(self, port: int) -> None:
        self.nox = 30.0
        self.silent: set[str] = set()
        self._end = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="meters")
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._second = int(time.time()) - PAST_S
        self._thread = threading.Thread(target=self._run, name="meters")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._end.wait(0.1):
            while self._second <= time.time():
                self._publish(self._second)
                self._second += 1

    def _publish(self, second: int) -> None:
        wave = (second % 7) / 1000
        values = {
            "kiln": f'"meal": {0.085 + wave}, "slag": 0.0031, "clinker": {0.055 + wave}, "coal": 0.0062',
            "power": f'"kwh": {second % 1_000_000}.25',
            "cems": f'"nox": {self.nox}, "o2": 10.0',
        }
        for meter, text in values.items():
            if meter not in self.silent:
                topic = f"{ROOT_TOPIC}/{TOPICS[meter]}"
                self._client.publish(topic, f'{{"ts": {second * 1000}, {text}}}', qos=1)


@pytest.fixture
def meters(mosquitto: Mosquitto) -> Iterator[Meters]:
    made = Meters(mosquitto.port)
    yield made
    made.stop()


@pytest.fixture
def running(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Running]:
    registry = tmp_path / "plant.toml"
    registry.write_text(REGISTRY)
    words = ["run", registry, "--data", tmp_path / "data", "--broker", mosquitto.url, "--port", str(free_port())]
    service = Running(words, tmp_path).start().ready()
    yield service
    service.stop()


@pytest.fixture
def page(running: Running) -> Iterator[Page]:
    with sync_playwright() as play:
        found = shutil.which("chromium")
        assert found, "chromium is not on PATH"
        browser = play.chromium.launch(executable_path=found, args=ARGS)
        tab = browser.new_page(viewport={"width": 1366, "height": 768})
        tab.goto(running.page)
        yield tab
        browser.close()


def told(running: Running) -> dict[str, float | None]:
    """What the API says, `scope|degree|window` -> value."""
    scores = running.get("/api/v1/scores")["scores"]
    return {"|".join((s["scope"], s["degree"], s["window"])): s["value"] for s in scores}


def shown(page: Page) -> dict[str, float | None]:
    """What the gauges on the screen show, the same way."""
    read: dict[str, str] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('[data-testid=gauge]')].map(
             ({dataset: d}) => [[d.scope, d.degree, d.window].join('|'), d.value ?? '']))"""
    )
    return {name: float(text) if text else None for name, text in read.items()}


def same_moment(running: Running, page: Page) -> dict[str, float | None]:
    """Values of every gauge shown, once they and the API's before and after are the very same doubles."""

    def agreed() -> dict[str, float | None]:
        before, seen, after = told(running), shown(page), told(running)
        alike = all(name in before and before[name] == value == after[name] for name, value in seen.items())
        return seen if seen and alike else {}

    found: dict[str, float | None] = until(agreed, 15, lambda: f"page {shown(page)}, API {told(running)}")
    return found


def alarm(running: Running) -> dict[str, Any]:
    [found] = running.get("/api/v1/alarms", scope=STACK)["alarms"]
    return dict(found)


def gauge(degree: str) -> str:
    return f'[data-testid="gauge"][data-scope="{LINE}"][data-degree="{degree}"]'


def test_the_page_is_right_from_first_number_to_a_killed_service(running: Running, page: Page, meters: Meters) -> None:
    """Numbers as the API's; alarm, keyboard, stale, NOT LIVE and back, on one running plant."""
    meters.start()
    numbers_are_the_api_s(running, page)
    why_is_answered(running)
    alarm_comes_and_is_acknowledged_by_keyboard(running, page, meters)
    silent_meter_turns_stale(running, page, meters)
    kill_is_seen_and_the_page_comes_back(running, page)


def numbers_are_the_api_s(running: Running, page: Page) -> None:
    """Line and roll-ups, over two windows; no gauge of the line without a number."""
    expect(page.locator(gauge("lcd"))).to_have_attribute("data-state", "ok", timeout=20_000)
    until(lambda: running.part("scoring").get("text") == "ok", 20)
    for window in ("1h", "8h"):
        page.locator("#bar").get_by_role("button", name=window, exact=True).click()
        expect(page.locator(gauge("lcd"))).to_have_attribute("data-window", window)
        seen = same_moment(running, page)
        line = {name: value for name, value in seen.items() if name.startswith(f"{LINE}|")}
        assert set(line) == {f"{LINE}|{d}|{window}" for d in ("lcd", "gd", "cd")} | {f"{LINE}|sd|24h"}
        assert None not in line.values()
        assert len(seen) > len(line)  # the roll-up above it too
    page.keyboard.press("W")  # shift: back to 1h
    expect(page.locator(gauge("lcd"))).to_have_attribute("data-window", "1h")
    row = page.locator(f'[data-testid="stack-row"][data-scope="{STACK}"][data-pollutant="nox"]')
    expect(row).to_have_attribute("data-value", "30", timeout=15_000)
    [minute] = running.get("/api/v1/emissions", scope=STACK, average="1min")["emissions"]
    assert minute["value"] == 30


def why_is_answered(running: Running) -> None:
    """The service's own engine splits the last quarter of an hour against the one before, and the parts add up."""
    why = running.get("/api/v1/why", scope=LINE, degree="gd", window="15min")
    assert why["ts"] - why["before"] == 900_000
    assert {part["channel"] for part in why["parts"]} == {"meal", "slag"}
    for which in ("parts", "causes"):
        assert abs(sum(part["contribution"] for part in why[which]) - why["change"]) < 1e-12
    assert abs(why["value"] - why["value_before"] - why["change"]) < 1e-11


def alarm_comes_and_is_acknowledged_by_keyboard(running: Running, page: Page, meters: Meters) -> None:
    """Row, A, comment, name, Enter: never the mouse; the API tells state, user and comment."""
    expect(page.locator('[data-testid="alarm-row"]')).to_have_count(0)
    meters.nox = 400.0
    row = page.locator('[data-testid="alarm-row"][data-id="nox-high"]')
    expect(row).to_have_attribute("data-state", "unacknowledged", timeout=20_000)
    assert alarm(running)["state"] == "unacknowledged"
    page.keyboard.press("a")
    page.keyboard.type("urea lance checked")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("Li Wei")
    page.keyboard.press("Enter")
    expect(row).to_have_attribute("data-state", "acknowledged")
    expect(row).to_contain_text("Li Wei: urea lance checked")
    now = alarm(running)
    assert (now["state"], now["user"], now["comment"]) == ("acknowledged", "Li Wei", "urea lance checked")


def silent_meter_turns_stale(running: Running, page: Page, meters: Meters) -> None:
    """10 s (3 × 1 s is less) after its last reading, not before; last value and age stay; then it speaks again."""
    card, unconcerned = page.locator(gauge("lcd")), page.locator(gauge("gd"))
    meters.silent = {"power"}
    began = time.monotonic()
    time.sleep(7)
    expect(card).to_have_attribute("data-state", "ok", timeout=100)
    expect(card.locator(".flag")).to_contain_text("STALE", timeout=7000)
    assert 8.5 < time.monotonic() - began < 13.5
    assert card.locator(".flag").inner_text().removeprefix("STALE ") in {f"{n} s" for n in range(10, 14)}
    assert 0.1 < float(card.locator(".value").inner_text()) < 10
    expect(card).to_contain_text("silent: power")
    [score] = running.get("/api/v1/scores", scope=LINE, degree="lcd", window="1h")["scores"]
    assert score["stale"]
    assert 10 <= score["age"] < 15
    expect(unconcerned).to_have_attribute("data-state", "ok", timeout=100)
    meters.silent = set()
    expect(card).to_have_attribute("data-state", "ok", timeout=5000)


def kill_is_seen_and_the_page_comes_back(running: Running, page: Page) -> None:
    """NOT LIVE 3 to 4 s after kill -9, everywhere; after the restart live by itself, the alarm still acknowledged."""
    card = page.locator(gauge("lcd"))
    running.kill()
    killed = time.monotonic()
    expect(page.locator("#lost")).to_contain_text("NOT LIVE", timeout=6000)
    assert time.monotonic() - killed < 4.5  # 3 to 4, and Playwright's own steps
    expect(card.locator(".flag")).to_contain_text("NOT LIVE")
    expect(page.locator('[data-testid="stack-row"] .state')).to_contain_text("NOT LIVE")
    running.start().ready()
    expect(page.locator("#lost")).to_be_hidden(timeout=15_000)
    expect(card).to_have_attribute("data-state", "ok", timeout=15_000)
    row = page.locator('[data-testid="alarm-row"][data-id="nox-high"]')
    expect(row).to_have_attribute("data-state", "acknowledged")
    expect(row).to_contain_text("Li Wei: urea lance checked")
    assert alarm(running)["user"] == "Li Wei"
    same_moment(running, page)
