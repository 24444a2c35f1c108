"""Answers: JSON, and errors all of one shape, `{"error": {"cause", "where", "mend"}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devices import times
from devices.errors import ConfigurationError, EnvironmentFailure, GreengaugeError


class Refusal(GreengaugeError):
    """A request that is not answered, with the HTTP status that says so."""

    def __init__(self, status: int, cause: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(cause, where=where, mend=mend)
        self.status = status


def error(status: int, cause: str, where: str = "", mend: str = "") -> JSONResponse:
    """The one error body."""
    return JSONResponse({"error": {"cause": cause, "where": where, "mend": mend}}, status)


async def on_known(request: Request, problem: Exception) -> Response:
    """An error a user can meet."""
    assert isinstance(problem, GreengaugeError)  # noqa: S101 - registered for this class only
    if isinstance(problem, Refusal):
        status = problem.status
    elif isinstance(problem, ConfigurationError):
        status = 400
    else:
        status = 503 if isinstance(problem, EnvironmentFailure) else 500
    return error(status, problem.cause, problem.where or request.url.path, problem.mend)


async def on_http(request: Request, problem: Exception) -> Response:
    """No such place, or not that method there."""
    assert isinstance(problem, HTTPException)  # noqa: S101 - registered for this class only
    answer = error(problem.status_code, problem.detail.lower(), request.url.path, "docs/api.md lists all there is")
    answer.headers.update(problem.headers or {})
    return answer


async def on_bug(request: Request, problem: Exception) -> Response:  # noqa: ARG001 - starlette's signature
    """A bug of ours: said so, without its traceback (the server logs that)."""
    return error(500, "a mistake of ours", request.url.path, "please report it with the service's log")


def moment(query: Mapping[str, str], name: str) -> int | None:
    """A time in the query: ms since 1970, or RFC 3339 with a zone. None if it is not there."""
    text = query.get(name)
    if not text:
        return None
    # in a query "+" means a space: 14:05:00+08:00 arrives as 14:05:00 08:00 unless the client escaped it
    head, space, zone = text.rpartition(" ")
    if space and len(head) > 10:
        text = f"{head}+{zone}"
    try:
        return times.instant(text)
    except ConfigurationError as problem:
        raise Refusal(400, problem.cause, where=name, mend=problem.mend) from None


def only(query: Mapping[str, str], *names: str) -> None:
    """Refuse parameters that mean nothing here: a misspelt filter must not look like an answer."""
    mend = f"use {', '.join(names)}" if names else "leave it out: nothing is asked for here"
    for name in query:
        if name not in names:
            raise Refusal(400, f"there is no parameter {name!r} here", where=name, mend=mend)


def whole(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 1 <= int(text) <= most):
        raise Refusal(
            400, f"{text!r} is not a number from 1 to {most}", where=name, mend="leave it out for the default"
        )
    return int(text)


def jsonable(things: list[Any]) -> list[dict[str, Any]]:
    """Each as its own object says."""
    return [thing.to_json() for thing in things]
