"""`/api/v1`: the one score object, the emissions, alarms, sums, trends, meters and the service's state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devices import durations, times
from devices.errors import ConfigurationError
from greengauge.page.answers import Refusal, jsonable, moment, only, whole
from greengauge.page.context import PageContext
from greengauge.page.filters import Filters
from greengauge.page.topology import topology

BODY_BYTES = 16_384
TREND_SERIES = 400
DO = ("acknowledge", "shelve", "unshelve")
COMMAND, ACCEPT = '{"do": "acknowledge", "user": "…"}', '{"do": "accept"}'
REWIND = '{"to": "2026-01-31T14:05:00+08:00"}'


class Api:
    """The handlers, around one context."""

    def __init__(self, context: PageContext) -> None:
        self._context, self._live, self._history = context, context.live, context.history
        self._filters = Filters(context.live.plant)

    def routes(self) -> list[Route]:
        """Under `/api/v1`."""
        return [
            Route("/scores", self.scores),
            Route("/emissions", self.emissions),
            Route("/alarms", self.alarms),
            Route("/alarms/{scope:path}/{id}", self.command, methods=["POST"]),
            Route("/clock", self.accept_clock, methods=["POST"]),
            Route("/rewind", self.rewind, methods=["POST"]),
            Route("/sums", self.sums),
            Route("/why", self.why),
            Route("/trend", self.trend),
            Route("/meters", self.meters),
            Route("/system", self.system),
        ]

    async def scores(self, request: Request) -> Response:
        """`?scope=&degree=&window=&at=&known_at=`; without times what is true now, with them from the history."""
        return await self._told(request, "scores", "degree", "window")

    async def emissions(self, request: Request) -> Response:
        """`?scope=&pollutant=&average=&at=&known_at=`."""
        return await self._told(request, "emissions", "pollutant", "average")

    async def alarms(self, request: Request) -> Response:
        """`?scope=&state=` every alarm's present state; `?events=N` the newest N events, newest first."""
        query = request.query_params
        only(query, "scope", "state", "events")
        if "events" in query:
            events = await asyncio.to_thread(self._history.alarm_events, whole(query, "events", 100, 10_000))
            return JSONResponse({"events": events})
        alarms, filters = self._live.alarms(), self._filters
        scopes = [*(a.scope for a in alarms), *filters.scopes, *filters.stacks]
        found = filters.fitting(alarms, {name: query.get(name) for name in ("scope", "state")}, scopes=scopes)
        return JSONResponse({"alarms": jsonable(found)})

    async def command(self, request: Request) -> Response:
        """`{"do", "user", "comment", "for"}`: logged, applied, answered with the alarm as it then is; with 202 where
        it is logged and a backlog has to be scored before it takes effect.
        """
        scope, id_ = request.path_params["scope"], request.path_params["id"]
        where = f"alarm {scope}/{id_}"
        if not any((a.scope, a.id) == (scope, id_) for a in self._live.alarms()):
            raise Refusal(404, "there is no such alarm", where=where, mend="see GET /api/v1/alarms")
        asked = _asked(await _body(request, COMMAND), where)
        try:
            alarm = await self._context.command({"scope": scope, "id": id_, **asked})
        except ConfigurationError as problem:
            raise Refusal(409, problem.cause, where=problem.where or where, mend=problem.mend) from None
        if alarm is None:
            said = "logged; it takes effect when the readings that came before it are scored"
            return JSONResponse({"scope": scope, "id": id_, "accepted": said}, 202)
        return JSONResponse(alarm.to_json())

    async def accept_clock(self, request: Request) -> Response:
        """`{"do": "accept"}`: the wall clock is right though it jumped; what was held is judged by it."""
        if await _body(request, ACCEPT) != {"do": "accept"}:
            raise Refusal(400, "not a word on the clock", where="clock", mend=f"send {ACCEPT}")
        offset = await self._context.accept_clock()
        if not offset:
            raise Refusal(409, "the wall clock has not jumped", where="clock", mend="there is nothing to accept")
        return JSONResponse({"offset_s": offset / 1000})

    async def rewind(self, request: Request) -> Response:
        """`{"to": RFC 3339 time}`: everything received since then goes to the store again, in log order."""
        body = await _body(request, REWIND)
        if set(body) != {"to"} or not isinstance(body["to"], str):
            raise Refusal(400, "since when?", where="rewind", mend=f"send {REWIND}")
        return JSONResponse((await self._context.rewind(times.parse(body["to"]))).to_json())

    async def sums(self, request: Request) -> Response:
        """`?at=&meter=&channel=&window=`: every channel over every window; null, with a reason, where there is none."""
        query = request.query_params
        only(query, "at", "meter", "channel", "window")
        at = moment(query, "at")
        if at is not None and at > max(self._live.clock, self._context.now()):
            raise Refusal(400, "that time has not come yet", where="at", mend="ask for a time up to now")
        asked = {name: query.get(name) for name in ("meter", "channel", "window")}
        windows, channels = self._filters.sums(asked)
        found = await self._context.sums(at, windows, channels)
        return JSONResponse({"sums": jsonable(found)})

    async def why(self, request: Request) -> Response:
        """`?scope=&degree=&window=&at=&before=`: the exact split of a degree's change between two windows."""
        query = request.query_params
        only(query, "scope", "degree", "window", "at", "before")
        scope, degree, window = (query.get(name, "") for name in ("scope", "degree", "window"))
        found = await self._context.why(scope, degree, window, moment(query, "at"), moment(query, "before"))
        return JSONResponse(found.to_json(self._live.plant, simulated=self._live.simulated))

    async def trend(self, request: Request) -> Response:
        """`?scope=&degree=&window=` or `?scope=&pollutant=&average=`, `&end=&for=8h&points=160`, `scope` as often as
        there are places: every series that fits as `{"trends": [{…, "points": [[ts, value], …]}]}`.
        """
        query = request.query_params
        only(query, "scope", "degree", "window", "pollutant", "average", "end", "for", "points")
        places = [scope for scope in query.getlist("scope") if scope]
        of_stack = "pollutant" in query or "average" in query or any(place.startswith("stack:") for place in places)
        kind, *names = ("emission", "pollutant", "average") if of_stack else ("degree", "degree", "window")
        keys: list[tuple[str, str, str]] = (
            [(e.scope, e.pollutant, e.average) for e in self._live.emissions()]
            if of_stack
            else [(s.scope, s.degree, s.window) for s in self._live.scores()]
        )
        wanted = [query.get(name) for name in names]
        keys = [
            key
            for key in keys
            if (not places or key[0] in places)
            and all(w in (None, "", p) for w, p in zip(wanted, key[1:], strict=True))
        ]
        if not keys:
            scopes = self._filters.stacks if of_stack else self._filters.scopes
            for place in places or [""]:
                self._filters.judge({"scope": place} | dict(zip(names, wanted, strict=True)), scopes=scopes)
        if len(keys) > TREND_SERIES:
            raise Refusal(400, f"{len(keys)} series at once", mend=f"at most {TREND_SERIES}: filter by scope or window")
        end = moment(query, "end") or max(self._live.clock, 1)
        start = end - durations.parse(query.get("for", "8h"))
        points = whole(query, "points", 160, 2000)
        series = await asyncio.to_thread(lambda: [self._history.trend(kind, key, start, end, points) for key in keys])
        return JSONResponse(
            {
                "start": start,
                "end": end,
                "trends": [
                    {"scope": key[0], names[0]: key[1], names[1]: key[2], "points": values}
                    for key, values in zip(keys, series, strict=True)
                ],
            }
        )

    async def meters(self, request: Request) -> Response:
        """Every meter's last reading and silence."""
        only(request.query_params)
        return JSONResponse({"meters": self._live.meters()})

    async def system(self, request: Request) -> Response:
        """The service's own state, the plant's outline and the versions."""
        only(request.query_params)
        live = self._live
        return JSONResponse(
            {
                "version": self._context.version,
                "now": self._context.now(),
                "clock": live.clock,
                "simulated": live.simulated,
                "progress": live.progress,
                "system": live.system(),
                "told": live.told,
                "plant": topology(live.plant),
            }
        )

    async def _told(self, request: Request, what: str, second: str, third: str) -> Response:
        query = request.query_params
        only(query, "scope", second, third, "at", "known_at")
        at, known_at = moment(query, "at"), moment(query, "known_at")
        asked = {name: query.get(name) or None for name in ("scope", second, third)}
        live = self._live.scores if what == "scores" else self._live.emissions
        things: list[Any] = live(asked["scope"])
        if at is not None or known_at is not None:
            ask: Callable[..., list[Any]] = self._history.scores if what == "scores" else self._history.emissions
            things = await asyncio.to_thread(ask, *asked.values(), at, known_at)
        scopes = self._filters.scopes if what == "scores" else self._filters.stacks
        things = self._filters.fitting(things, asked, scopes=scopes)
        now = at if at is not None else self._context.now()
        return JSONResponse({what: [thing.to_json(now, simulated=self._live.simulated) for thing in things]})


async def _body(request: Request, example: str) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(415, "the body must be JSON", mend="send Content-Type: application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES:
            raise Refusal(413, f"the body is longer than {BODY_BYTES} bytes", mend="shorten the comment")
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON", mend=f"send {example}") from None
    try:
        json.dumps(asked, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # nothing that is told further could write it
        raise Refusal(400, "a text contains half a character", mend="send whole UTF-8 text") from None
    if not isinstance(asked, dict):
        raise Refusal(400, "the body is not a JSON object", mend=f"send {example}")
    return asked


def _asked(body: dict[str, Any], where: str) -> dict[str, Any]:
    """The command, checked."""
    for key, value in body.items():
        if key not in ("do", "user", "comment", "for"):
            raise Refusal(400, f"there is no key {key!r} in a command", where=where, mend="use do, user, comment, for")
        if not (isinstance(value, str) or (value is None and key in ("comment", "for"))):
            raise Refusal(400, f"{key} must be text", where=where, mend="put it in quotes")
    do, user, comment = body.get("do"), (body.get("user") or "").strip(), (body.get("comment") or "").strip()
    if do not in DO:
        raise Refusal(400, f"{do!r} is no command", where=where, mend=f"do is one of {', '.join(DO)}")
    if not user:
        raise Refusal(400, "who does this?", where=where, mend='add "user"')
    if len(user) > 100 or len(comment) > 2000:
        raise Refusal(400, "user or comment is too long", where=where, mend="user up to 100, comment up to 2000 signs")
    for_ms = 0
    if do == "shelve":
        if not body.get("for") or not comment:
            raise Refusal(
                400, "shelving needs a time and a reason", where=where, mend='add "for": "30min" and "comment"'
            )
        for_ms = durations.parse(body["for"])
    return {"do": do, "user": user, "comment": comment, "for_ms": for_ms}
