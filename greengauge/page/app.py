"""`build`: the page, the API, the streams, metrics and health as one Starlette app."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from devices.errors import GreengaugeError
from greengauge.metrics import registry
from greengauge.page.answers import on_bug, on_http, on_known
from greengauge.page.api import Api
from greengauge.page.context import PageContext
from greengauge.page.energy_api import EnergyApi
from greengauge.page.guard import Guard
from greengauge.page.stream import Stream

STATIC = Path(__file__).parent / "static"


def build(context: PageContext) -> Starlette:
    """The whole of HTTP (contracts.md). `app.state.stream.close()` ends the open streams."""
    stream = Stream(context)
    metrics = registry(context.live, context.version, context.now)

    async def page(request: Request) -> Response:
        del request
        return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})

    async def told(request: Request) -> Response:
        del request
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    async def healthz(request: Request) -> Response:
        body: dict[str, object] = {"alive": True}
        if request.state.trusted:  # what of the log was damaged, by name
            body["damaged"] = context.live.system().get("log", {}).get("damaged", [])
        return JSONResponse(body)

    async def readyz(request: Request) -> Response:
        ready, parts = context.ready()
        body = {"ready": ready} | ({"parts": parts} if request.state.trusted else {})
        return JSONResponse(body, 200 if ready else 503)

    app = Starlette(
        routes=[
            Route("/", page),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", told),
            WebSocketRoute("/ws", stream.ws),
            Mount(
                "/api/v1", routes=[Route("/stream", stream.sse), *Api(context).routes(), *EnergyApi(context).routes()]
            ),
            Mount("/static", app=_Static(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, token=context.token)],
        exception_handlers={GreengaugeError: on_known, HTTPException: on_http, Exception: on_bug},
    )
    app.state.stream = stream
    return app


class _Static(StaticFiles):
    """Asked again each time (an ETag makes that cheap): a page never runs half of an older version's modules."""

    def file_response(self, *args: object, **more: object) -> Response:  # starlette's signature, passed on
        answer = super().file_response(*args, **more)  # type: ignore[arg-type] # as it came
        answer.headers["Cache-Control"] = "no-cache"
        return answer
