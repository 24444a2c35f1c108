"""`Guard`: who may ask, from where. A plain ASGI layer around everything, WebSockets included.

- Without a token the page is bound to loopback: only loopback names are answered, so that a foreign name
  rebound to 127.0.0.1 gets nothing. With a token the token is what protects: a rebound name has no cookie.
- The token comes as `Authorization: Bearer`, or as the cookie that the login form (or `?token=` once) sets.
  The cookie holds a keyed digest, never the token.
- Whatever changes state, and every WebSocket, must come from our own pages, or from no page at all.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from greengauge.page.answers import error

COOKIE = "greengauge"
OPEN = ("/healthz", "/readyz", "/login", "/static/login.css", "/static/base.css", "/static/icon.svg")
"""Answered without the token (`/readyz` then tells no details)."""
SAFE = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOGIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Greengauge</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/base.css">
<link rel="stylesheet" href="/static/login.css"><main><form method="post" action="/login"><h1>Greengauge</h1>
<label for="token">Page token</label><input id="token" name="token" type="password" required autofocus
autocomplete="current-password"><button>Open</button><p>{said}</p></form></main></html>"""


class Guard:
    """Wraps the app."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._cookie = "" if token is None else hmac.digest(token.encode(), b"greengauge page", "sha256").hex()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["trusted"] = self._trusted(headers)
        refused = self._refused(scope, headers)
        if refused is None and scope["type"] == "http" and self._token is not None:
            refused = await self._login(scope, receive)
        if scope["type"] == "websocket" and refused is not None:
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": "not allowed"})
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    told[name] = value
                told.setdefault("Cache-Control", "no-store")
            await send(message)

        target = self._app if refused is None else refused
        await target(scope, receive, dressed if scope["type"] == "http" else send)

    # --- inside -------------------------------------------------------------------------------

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._token is None and not _loopback(host):
            return error(421, f"this page does not answer to {host!r}", "Host", "open it as http://127.0.0.1:PORT")
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE
        if changes and not _own(headers, host):
            return error(403, "the request comes from another site's page", "Origin", "use this page or no browser")
        if not scope["state"]["trusted"] and scope["path"] not in OPEN:
            if scope["type"] == "http" and scope["path"] == "/":
                return None  # the login form
            return error(
                401, "a token is needed", "Authorization", "send `Authorization: Bearer TOKEN`, or log in at /"
            )
        return None

    async def _login(self, scope: Scope, receive: Receive) -> Response | None:
        """The form, its answer, and `/?token=…`; None where the request is for the app."""
        if scope["path"] not in ("/", "/login"):
            return None
        request = Request(scope, receive)
        if scope["path"] == "/login" and scope["method"] == "POST":
            return self._enter((await _form(request)).get("token", ""), "/")
        query = dict(request.query_params)
        if scope["path"] == "/" and "token" in query:
            given = query.pop("token")
            return self._enter(given, "/" + ("?" + urlencode(query) if query else ""))
        if scope["path"] == "/login" or not scope["state"]["trusted"]:
            return HTMLResponse(LOGIN.format(said=""), 200 if scope["path"] == "/login" else 401)
        return None

    def _enter(self, given: str, then: str) -> Response:
        if self._token is None or not hmac.compare_digest(given.encode(), self._token):
            return HTMLResponse(LOGIN.format(said="This is not the token."), 401)
        answer = RedirectResponse(then, 303)
        answer.set_cookie(COOKIE, self._cookie, max_age=30 * 86_400, httponly=True, samesite="lax", path="/")
        return answer

    def _trusted(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), self._token):
            return True
        return hmac.compare_digest(_cookie(headers).encode(), self._cookie.encode())


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _loopback(host: str) -> bool:
    name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return name.lower() in ("127.0.0.1", "localhost", "[::1]")


def _own(headers: Headers, host: str) -> bool:
    """A page of ours, or no page: browsers always send Origin with what changes state and with WebSockets."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin in (f"http://{host}", f"https://{host}")


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > 4096:
            return {}
    return {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
