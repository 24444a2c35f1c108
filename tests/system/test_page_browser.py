"""The page in a real Chromium, on a made-up plant's results."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import available_timezones

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

from devices.errors import ConfigurationError
from devices.plant import load
from devices.plant.tables.values import zone_name
from greengauge.page.app import build
from greengauge.page.server import PageServer
from scoring.results import AlarmCondition
from tests.greengauge.page.driver import MIN, ONE, Driver, alarm, emission, energy, score

pytestmark = pytest.mark.system

K1 = "line:acme/wuhu/pyro/k1"
TAIL = "stack:acme/wuhu/tail"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


EXPECTED = ("ERR_CONNECTION_REFUSED", "409 (Conflict)")
"""What Chromium itself says of a stopped service and of a refused command."""
MADE_TO_FAIL = ("400 (Bad Request)", "PAGE ERROR", "made to fail", "Invalid time zone")
"""What is said besides in tests whose name says `loud` or `refused`."""


class Served:
    """A driver behind a real server, which can go away and come back on the same port."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.port = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """On the port of the first time."""
        server = PageServer("127.0.0.1", self.port)
        assert self.port in (0, server.port)
        self.port = server.port
        server.serve(build(self.driver.context))
        self._task = asyncio.create_task(server.run())

    async def stop(self) -> None:
        """Gone, port and all."""
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    driver = Driver(load(ONE), tmp_path)
    now = driver.context.now()
    driver.live.clock = now
    driver.alarms[TAIL, "nox-high"] = alarm(since=now - 5000)
    driver.live.put_scores(
        [score(last=now), score("line:acme/wuhu/meltshop/eaf1", value=0.95, last=now)],
        [emission(last=now), emission(average="1min", value=57.0, last=now)],
        list(driver.alarms.values()),
    )
    driver.specific = [
        energy(value=104.94),
        energy(energy="electricity", value=62.5, unit="kWh/t", norm_level=None, levels=(48.0, 57.0, 61.0), next=61.0,
               distance=1.5, distance_percent=2.459),
        energy("line:acme/wuhu/meltshop/eaf1", product="eaf-carbon-steel", value=60.0, norm_level=1, next=None,
               distance=None, distance_percent=None, completeness=0.5),
        energy("site:acme/wuhu", value=111.2, boundary="chain: raw-meal"),
    ]  # fmt: skip
    driver.live.put_system("intake", {"state": "ok", "text": "ok"})
    made = Served(driver)
    made.start()
    yield made
    await made.stop()
    driver.close()


@pytest.fixture
async def page(served: Served, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """The page, open; at the end it must have said nothing to the console (the policy included)."""
    async with async_playwright() as play:
        found = shutil.which("chromium")
        assert found, "chromium is not on PATH"
        browser = await play.chromium.launch(executable_path=found, args=ARGS)
        tab = await browser.new_page(viewport={"width": 1366, "height": 768})
        said: list[str] = []
        fine = EXPECTED + (MADE_TO_FAIL if re.search("loud|refused", request.node.name) else ())
        tab.on("pageerror", lambda problem: said.append(str(problem)))
        tab.on("console", lambda m: said.append(m.text))
        await tab.goto(f"http://127.0.0.1:{served.port}/")
        yield tab
        await browser.close()
        assert [words for words in said if not any(known in words for known in fine)] == []


def gauge(scope: str = K1, degree: str = "lcd") -> str:
    return f'[data-testid="gauge"][data-scope="{scope}"][data-degree="{degree}"]'


async def test_a_gauge_shows_what_live_holds(served: Served, page: Page) -> None:
    """The number, its window and what says how far to trust it; then the next number."""
    card = page.locator(gauge())
    await expect(card).to_have_attribute("data-value", "0.874767")
    await expect(card).to_have_attribute("data-window", "1h")
    await expect(card.locator(".value")).to_have_text("0.875")
    await expect(card).to_contain_text("98 % data · good · running · live")
    meter = card.get_by_role("meter")
    await expect(meter).to_have_attribute("aria-valuenow", "0.874767")
    await expect(page.locator("#simulated")).to_be_visible()
    served.driver.live.put_scores([score(value=0.5, quality="uncertain")], [], [])
    await expect(card).to_have_attribute("data-value", "0.5")
    await expect(card).to_contain_text("uncertain")


async def test_a_degree_not_shown_over_the_window_is_shown_over_the_next(served: Served, page: Page) -> None:
    """SD has no hour: its gauge shows the next window that it has, and says which."""
    served.driver.live.put_scores(
        [
            score(degree="sd", value=None, reason="not shown below 24 h"),
            score(degree="sd", window="24h", value=0.781),
            score(degree="cd", value=None, reason="no material", operation="idle"),
            score(degree="cd", window="8h", value=0.1),
        ],
        [],
        [],
    )
    card = page.locator(gauge(degree="sd"))
    await expect(card).to_have_attribute("data-window", "24h")
    await expect(card.locator(".window")).to_have_text("24h")
    await expect(card.locator(".value")).to_have_text("0.781")
    withheld = page.locator(gauge(degree="cd"))  # any other reason to withhold is told, not stepped over
    await expect(withheld).to_have_attribute("data-window", "1h")
    await expect(withheld).to_contain_text("no material")


async def test_worst_line_comes_first(page: Page) -> None:
    """Among lines without an alarm of their own the lower low-carbon degree is above."""
    rows = page.locator("#gauges .row.line")
    await expect(rows.first).to_have_attribute("data-scope", K1)
    await expect(rows).to_have_count(2)


async def test_a_stack_row_tells_the_budget(page: Page) -> None:
    """Now, the hour so far, the limit, what may still be averaged."""
    row = page.locator(f'[data-testid="stack-row"][data-scope="{TAIL}"][data-pollutant="nox"]')
    await expect(row.locator(".now")).to_contain_text("57.0")
    await expect(row.locator(".so-far")).to_contain_text("48.1")
    await expect(row.locator(".allowed")).to_have_text("52.0 for 28 min")
    await expect(row.locator(".state")).to_contain_text("above limit now")


async def test_specific_energy_is_what_the_api_gives(served: Served, page: Page) -> None:
    """A row a product: values, level, the way to the next; only a product that reaches no level is marked."""
    row = page.locator(f'[data-testid="energy-row"][data-scope="{K1}"][data-product="clinker"]')
    told = await (await page.request.get(f"http://127.0.0.1:{served.port}/api/v1/energy?scope={K1}&window=1h")).json()
    for e in told["energy"]:
        cell = row.locator(f'[data-energy="{e["energy"]}"]')
        await expect(cell).to_have_attribute("data-value", str(e["value"]))
    await expect(row.locator('[data-energy="comprehensive"]')).to_have_text("105 kgce/t")
    await expect(row.locator('[data-energy="heat"]')).to_have_text("–– ")
    await expect(row.locator(".level")).to_have_text("△ power none all energy 2")
    await expect(row.locator(".next")).to_have_text("−1.5 kWh/t (2.5 %) −5.0 kgce/t (5.0 %)")
    await expect(row).to_have_class("near")
    other = page.locator('[data-testid="energy-row"][data-product="eaf-carbon-steel"]')
    await expect(other.locator(".level")).to_have_text("all energy 1")
    assert await other.get_attribute("class") is None
    served.driver.specific = [energy(value=99.0, norm_level=1, next=None, distance=None, distance_percent=None)]
    await expect(row.locator('[data-energy="comprehensive"]')).to_have_attribute("data-value", "99", timeout=10_000)
    await expect(page.locator('[data-testid="energy-row"]')).to_have_count(1)


async def test_the_league_is_what_the_api_gives(served: Served, page: Page) -> None:
    """Lines, then sites; another product and another measure by its own choice."""
    league = page.locator("#league")
    row = league.locator(f'[data-testid="league-row"][data-scope="{K1}"]')
    await expect(row.locator(".rank")).to_have_text("––")  # nobody else makes it here: the best of one is no rank
    await expect(row).to_contain_text("nobody to compare with")
    url = f"http://127.0.0.1:{served.port}/api/v1/league?product=clinker&by=comprehensive&window=1h"
    told = await (await page.request.get(url)).json()
    for place in [place for table in told["tables"] for place in table["places"]]:
        shown = league.locator(f'[data-testid="league-row"][data-scope="{place["scope"]}"]')
        await expect(shown).to_have_attribute("data-value", str(place["value"]))
        await expect(shown).to_have_attribute("data-standing", place["standing"])
    await league.locator('select[name="product"]').select_option("eaf-carbon-steel")
    half = league.locator('[data-testid="league-row"][data-scope="line:acme/wuhu/meltshop/eaf1"]')
    await expect(half).to_contain_text("not ranked: only 50 % of the data; 90 % are asked for")
    await expect(row).to_have_count(0)
    await league.locator('select[name="by"]').select_option("lcd")
    await expect(half.locator(".rank")).to_have_text("––")
    await expect(half).to_have_attribute("data-value", "0.95")


async def test_an_alarm_is_acknowledged_by_keyboard(served: Served, page: Page) -> None:
    """A, a comment, Enter: the command is asked, the row says acknowledged. No mouse."""
    row = page.locator('[data-testid="alarm-row"][data-id="nox-high"]')
    await expect(row).to_have_attribute("data-state", "unacknowledged")
    await page.keyboard.press("a")
    await page.keyboard.type("burner <b>adjusted</b>")
    await page.keyboard.press("Enter")
    await expect(row).to_have_attribute("data-state", "acknowledged")
    await expect(row).to_contain_text("burner <b>adjusted</b>")  # as text
    [asked] = served.driver.commands
    assert (asked["do"], asked["scope"], asked["comment"]) == ("acknowledge", TAIL, "burner <b>adjusted</b>")
    assert asked["user"]


async def test_one_key_and_enter_is_enough(served: Served, page: Page) -> None:
    """The comment may stay empty."""
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_count(1)
    await page.keyboard.press("A")
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_attribute("data-state", "acknowledged")
    assert len(served.driver.commands) == 1


async def test_shelving_by_keyboard(served: Served, page: Page) -> None:
    """S, a reason, Enter; without a reason nothing is asked."""
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_count(1)
    await page.keyboard.press("s")
    await page.keyboard.press("Enter")
    assert served.driver.commands == []
    await page.keyboard.type("probe is being calibrated")
    await page.keyboard.press("Enter")
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_attribute("data-state", "shelved")
    assert served.driver.commands[0]["for_ms"] == 30 * MIN


@pytest.mark.parametrize(
    ("state", "banner", "line"),
    [
        ("returned", "1 alarm returned, not acknowledged", "△ 1 alarm (returned, not acknowledged)"),
        ("acknowledged", "All alarms acknowledged", "△ 1 alarm (acknowledged)"),
        ("shelved", "No alarm, 1 put aside", ""),
        ("normal", "No alarm", ""),
    ],
)
async def test_nobody_is_said_to_have_acknowledged_who_did_not(
    served: Served, page: Page, state: AlarmCondition, banner: str, line: str
) -> None:
    """The heading and the line's own words follow the alarm's state: what returned by itself is still open."""
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_count(1)
    served.driver.live.put_scores([], [], [alarm(state=state, since=served.driver.context.now())])
    await expect(page.locator("#alarms h2")).to_have_text(banner)
    await expect(page.locator(".row.line .has-alarm").first).to_have_text(line)


async def test_a_refused_command_says_why(served: Served, page: Page) -> None:
    """The dialog stays, with the service's words."""
    key = (TAIL, "nox-high")
    await expect(page.locator('[data-testid="alarm-row"]')).to_have_count(1)
    await page.keyboard.press("a")
    served.driver.alarms[key] = replace(served.driver.alarms[key], state="acknowledged")
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog .wrong")).to_contain_text("nothing to acknowledge")


async def test_stale_says_so_with_age_and_last_value(served: Served, page: Page) -> None:
    """A silent meter's gauge keeps its last value, and says STALE and how old it is."""
    card = page.locator(gauge())
    await expect(card).to_have_attribute("data-state", "ok")
    old = served.driver.live.clock - 41_000
    served.driver.live.put_scores(
        [score(stale=True, value=None, last=old, reason="k1-kiln is silent")],
        [emission(average="1min", stale=True, last=old)],
        [],
    )
    await expect(card).to_have_class("gauge stale")
    await expect(card.locator(".flag")).to_contain_text("STALE 4")
    await expect(card.locator(".value")).to_have_text("0.875")
    await expect(card).to_contain_text("k1-kiln is silent")
    await expect(page.locator('[data-testid="stack-row"]')).to_contain_text("STALE 4")


async def test_silence_marks_everything_and_it_comes_back(served: Served, page: Page) -> None:
    """Without the service: NOT LIVE within a few seconds; with it again: live, with the new number."""
    card = page.locator(gauge())
    await expect(card).to_have_attribute("data-state", "ok")
    await served.stop()
    await expect(card.locator(".flag")).to_contain_text("NOT LIVE", timeout=5000)
    await expect(page.locator("#lost")).to_contain_text("NOT LIVE")
    await expect(page.locator('[data-testid="stack-row"] .state')).to_contain_text("NOT LIVE")
    served.driver.live.put_scores([score(value=0.6, last=served.driver.context.now())], [], [])
    served.start()
    await expect(card).to_have_attribute("data-value", "0.6", timeout=10_000)
    await expect(card.locator(".flag")).to_have_text("")
    await expect(page.locator("#lost")).to_be_hidden()


async def test_windows_and_places_by_keyboard(page: Page) -> None:
    """W takes the next window, arrows the next place, T the trend, ? the help, Escape out of it."""
    card = page.locator(gauge())
    await expect(card).to_have_attribute("data-window", "1h")
    await page.keyboard.press("w")
    await expect(page.locator('#bar [aria-pressed="true"]').first).to_have_text("8h")
    await page.keyboard.press("t")
    await expect(card.locator(".trend")).to_be_hidden()
    before = await page.locator("#scopes [aria-current]").get_attribute("data-scope")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#scopes [aria-current]")).not_to_have_attribute("data-scope", before or "")
    await page.keyboard.press("?")
    await expect(page.locator("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (390, 844)])
async def test_nothing_is_wider_than_the_screen(page: Page, width: int, height: int) -> None:
    """Control room, wall and phone: no sideways scrolling, neither of the page nor of a table in it."""
    await page.set_viewport_size({"width": width, "height": height})
    await expect(page.locator(gauge())).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for section in ("stacks", "energy", "league"):
        await expect(page.locator(f"#{section} tbody tr").first).to_be_visible()
        table = page.locator(f"#{section} .scroll")
        assert await table.evaluate("box => box.scrollWidth - box.clientWidth") == 0, section
    label, number = page.locator(f"{gauge()} h4 > span").first, page.locator(f"{gauge()} .value")
    above, below = await label.bounding_box(), await number.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"] + 1  # a name never lies under its number


BROKEN = "part of this page"


async def break_drawing(page: Page, served: Served) -> None:
    """Every number's way into words throws from now on: what a browser without a time zone, or a bug, does."""
    await expect(page.locator(gauge())).to_have_attribute("data-state", "ok")
    await page.evaluate(
        "() => void (Intl.NumberFormat.prototype.format = Number.prototype.toFixed = Number.prototype.toPrecision = "
        "Number.prototype.toLocaleString = () => { throw new RangeError('made to fail') })"
    )
    served.driver.live.put_scores([score(value=0.4)], [], [])


async def test_what_cannot_be_drawn_is_loud(served: Served, page: Page) -> None:
    """PAGE ERROR in the link's place and in a banner, never "live"; the alarms are there all the same."""
    await break_drawing(page, served)
    await expect(page.locator("#link")).to_have_text("PAGE ERROR, not current")
    await expect(page.locator("#lost")).to_contain_text(BROKEN)
    await expect(page.locator("#lost")).to_contain_text("made to fail")
    await expect(page.locator("body")).to_have_class("not-live")
    await expect(page.locator("#alarms h2")).to_contain_text("1 alarm unacknowledged")


async def test_an_unknown_time_zone_is_loud(served: Served, page: Page) -> None:
    """A plant whose zone this browser does not know: no bare page under "live", and the alarms' banner stands."""
    await expect(page.locator("#link")).to_have_text("● live")
    await page.add_init_script("""const Known = Intl.DateTimeFormat;
        Intl.DateTimeFormat = function (locale, options) {
            if (options?.timeZone === 'Asia/Shanghai') throw new RangeError('Invalid time zone specified');
            return new Known(locale, options);
        };""")
    await page.reload()
    await expect(page.locator("#link")).to_have_text("PAGE ERROR, not current")
    await expect(page.locator("#alarms h2")).to_contain_text("1 alarm unacknowledged")
    await expect(page.locator("#lost")).to_contain_text("Invalid time zone")


async def test_a_message_that_cannot_be_taken_in_is_loud(served: Served, page: Page) -> None:
    """What is known may be half of it from then on: it stays said."""
    await expect(page.locator("#link")).to_have_text("● live")
    await page.evaluate("() => void (JSON.parse = () => { throw new SyntaxError('made to fail') })")
    await expect(page.locator("#link")).to_have_text("PAGE ERROR, not current")
    await page.wait_for_timeout(1500)
    await expect(page.locator("#link")).to_have_text("PAGE ERROR, not current")


async def test_every_zone_that_a_registry_may_name_is_known_here(page: Page) -> None:
    """Each name of this machine's time zone database either is refused by the registry or is known to the browser."""

    def accepted(name: str) -> bool:
        try:
            zone_name(name)
        except ConfigurationError:
            return False
        return True

    odd = ["posix/Asia/Shanghai", "right/Asia/Shanghai", "localtime", "Factory", "posixrules"]
    names = [name for name in sorted(available_timezones()) + odd if accepted(name)]
    assert "Asia/Shanghai" in names
    assert not set(odd) & set(names)
    unknown = await page.evaluate(
        "(names) => names.filter((timeZone) => {"
        " try { new Intl.DateTimeFormat('en', {timeZone}); } catch { return true; } })",
        names,
    )
    assert unknown == []


async def test_trends_are_asked_of_what_is_shown(served: Served, page: Page) -> None:
    """Places on the screen only, and the shown ones get their trend."""
    async with page.expect_request("**/api/v1/trend?*") as asked:
        await page.locator(f'#scopes [data-scope="{K1}"]').first.click()
        await page.wait_for_timeout(100)
    first = parse_qs(urlsplit((await asked.value).url).query)
    assert first["scope"]
    seen: list[list[str]] = []
    page.on("request", lambda r: seen.append(parse_qs(urlsplit(r.url).query)["scope"]) if "/trend?" in r.url else None)
    await page.reload()
    await expect(page.locator(gauge())).to_have_attribute("data-state", "ok")
    await page.wait_for_timeout(500)
    assert [K1] in seen
    assert all(set(scopes) <= {K1, TAIL} for scopes in seen)


async def test_a_refused_trend_is_said_and_not_asked_for_again_at_once(served: Served, page: Page) -> None:
    """The service's words stand where the trends are switched; no question every four seconds."""
    asked: list[str] = []

    async def refuse(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=400, json={"error": {"cause": "900 series at once", "where": "", "mend": ""}})

    await page.route("**/api/v1/trend?*", refuse)
    await page.reload()
    await expect(page.locator(".trend-switch")).to_have_text("trend 8 h: not shown: 900 series at once")
    before = len(asked)
    await page.wait_for_timeout(6000)
    assert len(asked) == before
