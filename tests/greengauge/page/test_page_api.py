"""The HTTP contract, over httpx's ASGI transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devices import times
from devices.plant import load
from greengauge.page.app import build
from scoring.results import AlarmEvent, Changes
from tests.greengauge.page.driver import ONE, Driver, alarm, emission, score

NOW = 1_763_800_000_000
K1 = "line:acme/wuhu/pyro/k1"
TAIL = "stack:acme/wuhu/tail"


@pytest.fixture
def driver(tmp_path: Path) -> AsyncIterator[Driver]:
    made = Driver(load(ONE), tmp_path)
    made.live.clock = NOW
    made.alarms[TAIL, "nox-high"] = alarm()
    made.live.put_scores([score(), score(degree="gd", window="8h")], [emission()], [alarm()])
    yield made
    made.close()


@pytest.fixture
async def client(driver: Driver) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(driver.context), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8420") as made:
        yield made


async def test_scores_are_the_one_object(client: httpx.AsyncClient) -> None:
    """Every key of the contract's score object is there, with the live values."""
    body = (await client.get("/api/v1/scores", params={"scope": K1, "degree": "lcd", "window": "1h"})).json()
    [told] = body["scores"]
    assert told["value"] == 0.874767
    assert told["numerator"] == 145.53
    assert {
        "ts", "scope", "level", "degree", "window", "value", "numerator", "denominator", "unit", "output", "basis",
        "completeness", "quality", "operation", "lifecycle", "revision", "reason", "known_at", "stale", "simulated",
        "age",
    } <= set(told)  # fmt: skip


async def test_filters_leave_out(client: httpx.AsyncClient) -> None:
    """A filter that fits nothing gives an empty list, not everything."""
    assert len((await client.get("/api/v1/scores")).json()["scores"]) == 2
    assert (await client.get("/api/v1/scores?degree=cd")).json() == {"scores": []}
    assert len((await client.get("/api/v1/emissions?pollutant=nox&average=1h")).json()["emissions"]) == 1


@pytest.mark.parametrize("when", ["", "&at=2026-01-01T00:00:00Z"])
@pytest.mark.parametrize(
    ("path", "where", "mend"),
    [
        (f"scores?scope={K1[:-1]}", "scope", f"did you mean `{K1}`?"),
        (f"scores?scope={TAIL}", "scope", ""),
        ("scores?degree=LCD", "degree", "did you mean `lcd`?"),
        ("scores?degree=xx", "degree", "use one of `cd`, `gd`, `lcd`, `sd`"),
        ("scores?window=7min&degree=lcd", "window", ""),
        (f"emissions?scope={K1}", "scope", TAIL),
        ("emissions?pollutant=nix", "pollutant", "did you mean `nox`?"),
        ("emissions?average=2h", "average", "1h"),
        ("energy?energy=heatt", "energy", "did you mean `heat`?"),
        ("energy?product=clincer", "product", "did you mean `clinker`?"),
        ("energy?scope=nope&window=7min", "scope", ""),
        ("league?product=clincer", "product", "did you mean `clinker`?"),
        ("league?by=lcf", "by", "did you mean `lcd`?"),
    ],
)
async def test_a_filter_that_names_nothing_is_refused(
    client: httpx.AsyncClient, path: str, where: str, mend: str, when: str
) -> None:
    """400 with cause, place and what may have been meant, live and of the past: an empty list would look like an
    answer.
    """
    answer = await client.get(f"/api/v1/{path}{when}")
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["where"] == where
    assert path.partition(f"{where}=")[2].partition("&")[0] in error["cause"]
    assert mend in error["mend"] != ""


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("alarms?scope=stack:nope", "scope"),
        ("alarms?state=loud", "state"),
        ("sums?meter=k1-kil", "meter"),
        ("sums?meter=k1-kiln&channel=fed", "channel"),
        ("sums?window=7min", "window"),
        ("trend?scope=line:nope", "scope"),
        ("trend?degree=xx", "degree"),
        ("trend?pollutant=nix", "pollutant"),
    ],
)
async def test_other_places_refuse_it_too(client: httpx.AsyncClient, path: str, where: str) -> None:
    """Alarms, sums and trends."""
    answer = await client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["error"]["where"]) == (400, where)


async def test_at_reads_the_history(client: httpx.AsyncClient, driver: Driver) -> None:
    """`at` in ms or RFC 3339 gives the closed step then; `known_at` what was known of it."""
    minute = NOW - NOW % 60_000
    driver.history.add(Changes((score(ts=minute, value=0.5, known_at=minute),), (), ()))
    restated = score(ts=minute, value=0.6, revision=1, lifecycle="restated", known_at=minute + 900_000)
    driver.history.add(Changes((restated,), (), ()))
    for at in (str(minute + 5000), times.format(minute + 5000), times.format(minute).replace("Z", "+00:00")):
        [told] = (await client.get(f"/api/v1/scores?at={at}")).json()["scores"]
        assert (told["value"], told["revision"]) == (0.6, 1)
    [told] = (await client.get(f"/api/v1/scores?at={minute}&known_at={minute + 1000}")).json()["scores"]
    assert (told["value"], told["revision"]) == (0.5, 0)
    assert (await client.get(f"/api/v1/scores?at={minute - 1}")).json() == {"scores": []}


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/why?degree=lcd&window=1h",
        "/api/v1/why?line=k1",
        "/api/v1/why?before=soon",
        "/api/v1/scores?at=yesterday",
        "/api/v1/scores?line=k1",
        "/api/v1/trend?for=8hours",
        "/api/v1/trend?points=0",
    ],
)
async def test_a_bad_question_is_told_why(client: httpx.AsyncClient, path: str) -> None:
    """400 with cause, where and mend; a misspelt filter is no answer."""
    answer = await client.get(path)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"cause", "where", "mend"}
    assert answer.json()["error"]["cause"]


async def test_unknown_places_answer_in_the_same_shape(client: httpx.AsyncClient) -> None:
    """404 and 405 are errors of the one shape too."""
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/static/../app.py", 404),
        ("POST", "/metrics", 405),
    ):
        answer = await client.request(method, path)
        assert answer.status_code == status
        assert set(answer.json()["error"]) == {"cause", "where", "mend"}


async def test_acknowledge_asks_the_command(client: httpx.AsyncClient, driver: Driver) -> None:
    """A scope with `/` and `:` in the path is one scope; the answer is the alarm as it then is."""
    answer = await client.post(f"/api/v1/alarms/{TAIL}/nox-high", json={"do": "acknowledge", "user": "wang"})
    assert answer.status_code == 200
    assert answer.json()["state"] == "acknowledged"
    assert driver.commands == [
        {"scope": TAIL, "id": "nox-high", "do": "acknowledge", "user": "wang", "comment": "", "for_ms": 0}
    ]
    again = await client.post(f"/api/v1/alarms/{TAIL}/nox-high", json={"do": "acknowledge", "user": "wang"})
    assert again.status_code == 409


async def test_shelving_needs_time_and_reason(client: httpx.AsyncClient, driver: Driver) -> None:
    """Without either it is refused; with both the time is passed on in ms."""
    path = f"/api/v1/alarms/{TAIL}/nox-high"
    for body in ({"comment": "sensor"}, {"for": "30min"}, {"for": "soon", "comment": "x"}, {"for": 30, "comment": "x"}):
        answer = await client.post(path, json={"do": "shelve", "user": "wang", **body})
        assert answer.status_code == 400, body
    answer = await client.post(path, json={"do": "shelve", "user": "wang", "for": "30min", "comment": "sensor"})
    assert answer.status_code == 200
    assert driver.commands[-1]["for_ms"] == 1_800_000


async def test_commands_are_checked(client: httpx.AsyncClient, driver: Driver) -> None:
    """No such alarm, no user, no such deed, no JSON, too long: each refused, none reaches the command."""
    path = f"/api/v1/alarms/{TAIL}/nox-high"
    good = {"do": "acknowledge", "user": "w"}
    assert (await client.post(f"/api/v1/alarms/{TAIL}/other", json=good)).status_code == 404
    assert (await client.post(path, json={"do": "acknowledge"})).status_code == 400
    assert (await client.post(path, json={"do": "explode", "user": "w"})).status_code == 400
    assert (await client.post(path, json=good | {"extra": 1})).status_code == 400
    assert (await client.post(path, json=[1])).status_code == 400
    assert (await client.post(path, content=b"{", headers={"content-type": "application/json"})).status_code == 400
    assert (await client.post(path, json=good | {"comment": "x" * 20_000})).status_code == 413
    assert (await client.post(path, content=b"do=acknowledge")).status_code == 415
    assert driver.commands == []


async def test_half_a_character_goes_no_further(client: httpx.AsyncClient, driver: Driver) -> None:
    r"""A lone \\ud800 could be logged but never written to the store or the page again: refused at the door."""
    for key in ("user", "comment"):
        body = b'{"do": "acknowledge", "user": "w", "%s": "\\ud800"}' % key.encode()
        answer = await client.post(
            f"/api/v1/alarms/{TAIL}/nox-high", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 400
    assert driver.commands == []


async def test_alarm_events(client: httpx.AsyncClient, driver: Driver) -> None:
    """The newest events first."""
    driver.history.add(Changes((), (), (AlarmEvent(1, "trip", alarm()), AlarmEvent(2, "clear", alarm()))))
    told = (await client.get("/api/v1/alarms?events=1")).json()["events"]
    assert [e["event"] for e in told] == ["clear"]


async def test_trend_is_of_every_series_that_fits(client: httpx.AsyncClient, driver: Driver) -> None:
    """One question for a whole window; a stack's by pollutant."""
    rows = tuple(score(ts=NOW - k * 60_000, value=0.5 + k / 1000) for k in range(1, 60))
    driver.history.add(Changes(rows, (emission(ts=NOW - 3_600_000),), ()))
    [told] = (await client.get("/api/v1/trend?window=1h&points=20")).json()["trends"]
    assert (told["scope"], told["degree"], told["window"]) == (K1, "lcd", "1h")
    assert 0 < len(told["points"]) <= 20
    assert told["points"][-1] == [NOW - 60_000, 0.501]
    [stack] = (await client.get(f"/api/v1/trend?scope={TAIL}&average=1h")).json()["trends"]
    assert stack["points"] == [[NOW - 3_600_000, 48.1]]


async def test_sums_meters_system_and_health(client: httpx.AsyncClient, driver: Driver) -> None:
    """Each contract's place answers."""
    driver.live.put_meters({"cems1": {"last": NOW, "silent": False}})
    assert (await client.get("/api/v1/sums?meter=k1-kiln")).json()["sums"][0]["sum"] == "340.000000000"
    refused = await client.get(f"/api/v1/sums?at={int(time.time() * 1000) + 3_600_000}")
    assert refused.status_code == 400
    assert "has not come yet" in refused.json()["error"]["cause"]
    assert (await client.get("/api/v1/meters")).json()["meters"]["cems1"]["last"] == NOW
    assert (await client.get("/api/v1/system")).json()["plant"]["sites"][0]["zone"] == "Asia/Shanghai"
    assert (await client.get("/healthz")).status_code == 200
    assert (await client.get("/readyz")).status_code == 200
    driver.ready = False
    assert (await client.get("/readyz")).status_code == 503


async def test_metrics_can_be_scraped(client: httpx.AsyncClient, driver: Driver) -> None:
    """Prometheus' own parser reads them; names, labels and values are those of Live."""
    driver.step(NOW)
    text = (await client.get("/metrics")).text
    samples = {
        (s.name, *sorted(s.labels.values())): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }
    value = next(s.value for s in driver.live.scores() if (s.scope, s.degree, s.window) == (K1, "lcd", "1h"))
    assert samples["greengauge_score_ratio", "1h", "lcd", "line", K1] == value
    assert samples["greengauge_log_behind_bytes", "store"] == 4096
    assert samples["greengauge_rejects_total", "unit"] == 3
    assert samples["greengauge_alarms", "high", "normal"] + samples["greengauge_alarms", "high", "unacknowledged"] >= 1
    assert all(name.startswith("greengauge_") for name, *_ in samples)


async def test_the_page_and_its_modules_are_served_safely(client: httpx.AsyncClient) -> None:
    """CSP without inline script or style, no sniffing, no framing, on page and modules."""
    for path in ("/", "/static/main.js", "/static/base.css", "/api/v1/scores"):
        answer = await client.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_rebound_name_gets_nothing(client: httpx.AsyncClient) -> None:
    """Without a token only loopback names are answered."""
    for host in ("evil.example:8420", "127.0.0.1.evil.example", "", "localhost.evil.example"):
        assert (await client.get("/api/v1/scores", headers={"host": host})).status_code == 421
    for host in ("localhost:8420", "127.0.0.1", "[::1]:8420"):
        assert (await client.get("/api/v1/scores", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://[::1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_another_sites_page_changes_nothing(
    client: httpx.AsyncClient, driver: Driver, headers: dict[str, str]
) -> None:
    """Origin and Sec-Fetch-Site are looked at before the command."""
    body = {"do": "acknowledge", "user": "w"}
    answer = await client.post(f"/api/v1/alarms/{TAIL}/nox-high", json=body, headers=headers)
    assert answer.status_code == 403
    assert driver.commands == []


async def test_our_own_page_may(client: httpx.AsyncClient) -> None:
    """What a browser sends from our own page is let through."""
    headers = {"origin": "http://127.0.0.1:8420", "sec-fetch-site": "same-origin"}
    body = {"do": "acknowledge", "user": "w"}
    answer = await client.post(f"/api/v1/alarms/{TAIL}/nox-high", json=body, headers=headers)
    assert answer.status_code == 200


async def test_token(tmp_path: Path) -> None:
    """With a token: nothing without it; by header; by form; by `?token=` once; the cookie is not the token."""
    driver = Driver(load(ONE), tmp_path, token="s3cret-é")  # noqa: S106 - a test's
    transport = httpx.ASGITransport(build(driver.context))
    async with httpx.AsyncClient(transport=transport, base_url="http://plant.example:8420") as client:
        assert (await client.get("/api/v1/scores")).status_code == 401
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/static/main.js")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200
        assert "parts" not in (await client.get("/readyz")).json()
        assert "Page token" in (await client.get("/")).text
        assert (await client.get("/static/base.css")).status_code == 200
        wrong = await client.post("/login", data={"token": "wrong"})
        assert wrong.status_code == 401
        assert "set-cookie" not in wrong.headers
        bearer = {"authorization": "Bearer s3cret-é".encode()}
        assert (await client.get("/api/v1/scores", headers=bearer)).status_code == 200
        once = await client.get("/", params={"token": "s3cret-é"})
        assert once.status_code == 303
        assert once.headers["location"] == "/"
        assert "HttpOnly" in once.headers["set-cookie"]
        assert "s3cret" not in once.headers["set-cookie"]
        assert (await client.get("/api/v1/scores")).status_code == 200  # by the cookie
        client.cookies.clear()
        assert (await client.post("/login", data={"token": "s3cret-é"})).status_code == 303
        assert (await client.get("/")).text.startswith("<!doctype html>")
    driver.close()


async def test_a_bug_of_ours_shows_no_traceback(client: httpx.AsyncClient, driver: Driver) -> None:
    """500 in the one shape."""
    driver.history.add(Changes((score(),), (), ()))
    driver.history.close()
    answer = await client.get("/api/v1/scores?at=1")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.json()["error"]["cause"]


async def test_sse_begins_with_a_snapshot(driver: Driver) -> None:
    """Over the app's own stream: snapshot, then changes with rising sequence numbers, then the end."""
    app = build(driver.context)
    events: list[tuple[str, int]] = []

    async def read() -> None:
        async for kind, seq, _ in app.state.stream.messages():
            events.append((kind, seq))

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    driver.live.put_scores([score(value=0.9)], [], [])
    await asyncio.sleep(0.05)
    app.state.stream.close()
    await asyncio.wait_for(reading, 1)
    assert events[0][0] == "snapshot"
    assert [kind for kind, _ in events[1:]] == ["change"]
    assert events[0][1] < events[1][1]


async def test_rewind(client: httpx.AsyncClient) -> None:
    """Since when, and nothing else; the answer says how far the log reaches; another site's page may not."""
    answer = await client.post("/api/v1/rewind", json={"to": "2025-11-22T16:26:40+08:00"})
    assert answer.json() == {"position": 0, "to": NOW, "reach": NOW, "complete": True, "bytes": 1000}
    assert (await client.post("/api/v1/rewind", json={"to": "2025-11-22T08:00:00Z"})).json()["complete"] is False
    for body in ({}, {"to": 5}, {"to": "yesterday"}, {"to": "2025-11-22T08:00:00Z", "user": "x"}):
        refused = await client.post("/api/v1/rewind", json=body)
        assert refused.status_code == 400, body
        assert refused.json()["error"]["mend"]
    foreign = {"origin": "http://evil.example"}
    body = {"to": "2025-11-22T08:26:40Z"}
    assert (await client.post("/api/v1/rewind", json=body, headers=foreign)).status_code == 403
    assert (await client.get("/api/v1/rewind")).status_code == 405


async def test_damage_of_the_log_is_told_by_name(client: httpx.AsyncClient, driver: Driver) -> None:
    """Segment, positions and kind, where whoever watches the process asks."""
    damage = {"segment": "0.segment", "start": 7, "end": 50, "kind": "checksum", "text": "…"}
    driver.live.put_system("log", {"damages": 1, "damaged": [damage], "text": "1 damaged places"})
    assert (await client.get("/healthz")).json() == {"alive": True, "damaged": [damage]}


async def test_trends_of_several_places_in_one_question(client: httpx.AsyncClient, driver: Driver) -> None:
    """`scope` as often as there are places; the others stay out; names that nothing has are refused."""
    k1, eaf = "line:acme/wuhu/pyro/k1", "line:acme/wuhu/meltshop/eaf1"
    driver.live.put_scores([score(k1), score(eaf), score("site:acme/wuhu")], [], [])
    told = (await client.get(f"/api/v1/trend?window=1h&scope={k1}&scope={eaf}")).json()["trends"]
    assert {trend["scope"] for trend in told} == {k1, eaf}
    assert (await client.get("/api/v1/trend?window=1h&scope=line:nope&scope=line:none")).status_code == 400
