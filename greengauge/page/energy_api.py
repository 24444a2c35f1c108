"""`/api/v1/energy` and `/api/v1/league`: specific energy with the norm's level, and who makes a product best."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from greengauge.page.answers import Refusal, moment, only
from greengauge.page.context import PageContext
from greengauge.page.filters import Filters, refuse
from scoring.degrees.coverage import ENERGIES
from scoring.league import BY, league, products
from scoring.results import Energy, Score

LEAST = "0.9"
"""Completeness from which on a scope is ranked: where quality may be good."""


class EnergyApi:
    """The handlers, around one context."""

    def __init__(self, context: PageContext) -> None:
        self._context, self._live, self._history = context, context.live, context.history
        self._filters = Filters(context.live.plant)

    def routes(self) -> list[Route]:
        """Under `/api/v1`."""
        return [Route("/energy", self.energy), Route("/league", self.league)]

    async def energy(self, request: Request) -> Response:
        """`?scope=&energy=&product=&window=&at=&known_at=`; without times what is true now, else from the history."""
        query = request.query_params
        names = ("scope", "energy", "product", "window")
        only(query, *names, "at", "known_at")
        at, known_at = moment(query, "at"), moment(query, "known_at")
        wanted = {name: query[name] for name in names if query.get(name)}
        found = await self._energies(wanted, at, known_at)
        if not found:
            self._filters.judge(wanted, scopes=self._filters.scopes)
        now = at if at is not None else self._context.now()
        return JSONResponse({"energy": [e.to_json(now, simulated=self._live.simulated) for e in found]})

    async def league(self, request: Request) -> Response:
        """`?product=&by=&window=&least=&at=&known_at=`: `{"tables": [{"level", "places": […]}]}` of one product."""
        query, plant = request.query_params, self._live.plant
        only(query, "product", "by", "window", "least", "at", "known_at")
        made = products(plant)
        product = _one_of(query, "product", made, made[0] if made else "")
        by = _one_of(query, "by", BY, "comprehensive")
        window = _one_of(query, "window", plant.windows, "24h" if "24h" in plant.windows else plant.windows[-1])
        least, at, known_at = _share(query, "least"), moment(query, "at"), moment(query, "known_at")
        things: list[Energy] | list[Score]
        if by in ENERGIES:
            things = await self._energies({"energy": by, "product": product, "window": window}, at, known_at)
        elif at is None and known_at is None:
            things = [s for s in self._live.scores() if (s.degree, s.window) == (by, window)]
        else:
            things = await asyncio.to_thread(self._history.scores, None, by, window, at, known_at)
        tables = league(plant, product, by, things, least=least)
        return JSONResponse(
            {
                "product": product,
                "by": by,
                "window": window,
                "least": least,
                "better": "lower" if by in ENERGIES else "higher",
                "products": made,
                "simulated": self._live.simulated,
                "tables": [
                    {"level": level, "places": [place.to_json() for place in places]}
                    for level, places in tables.items()
                    if places
                ],
            }
        )

    async def _energies(self, wanted: Mapping[str, str], at: int | None, known_at: int | None) -> list[Energy]:
        if at is None and known_at is None:
            found = await self._context.energies()
        else:
            ask = self._history.energies
            found = await asyncio.to_thread(ask, wanted.get("scope"), wanted.get("window"), at, known_at)
        return [e for e in found if all(getattr(e, name) == value for name, value in wanted.items())]


def _one_of(query: Mapping[str, str], name: str, known: tuple[str, ...] | list[str], default: str) -> str:
    given = query.get(name) or default
    if given not in known:
        refuse(name, given, known)
    return given


def _share(query: Mapping[str, str], name: str) -> float:
    text = query.get(name) or LEAST
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Refusal(400, f"{text!r} is not a share", where=name, mend="write a number from 0 to 1")
    return share
