"""InfluxDB's HTTP interface through influxdb-client, with its answers sorted into three kinds.

    it is done          the body
    it will never do    `Refused`    400, 422: the store's words; 413: too large
    not now             `StoreDown`  no answer, 429, 5xx; standing (a person is needed): 401, 403, 404, not an InfluxDB

The synchronous client in a thread of ours: 1.0 ms of CPU for 5,000 lines, the same as bare urllib3.
Its asynchronous twin would bring aiohttp; its batching mode loses points at exit. Its import takes
0.9 s, so it happens at the first request, in the thread.
"""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from ingest.store.base import StoreDown
from ingest.store.salvage import Refused

CONNECT_MS, ANSWER_MS = 5_000, 30_000
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _NotFound(StoreDown):
    """404: no such bucket, or no such resource on this server."""


class InfluxHttp:
    """Requests to one InfluxDB. Blocking: belongs to a worker thread."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._token = token
        self._client: Any = None
        # On loopback compressing only costs; elsewhere level 1 (the client's own level 9 takes 4.6 µs a line).
        self._compress = urlsplit(url).hostname not in _LOOPBACK

    def write(self, org: str, bucket: str, body: bytes) -> None:
        """POST line protocol with ms precision."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self._compress:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        query = [("org", org), ("bucket", bucket), ("precision", "ms")]
        status, _ = self._call("POST", "/api/v2/write", query, headers, body=body)
        if status != 204:
            raise StoreDown(f"{self.url} answered {status} to a write, an InfluxDB answers 204", standing=True)

    def influxql(self, database: str, statements: str) -> list[dict[str, Any]]:
        """The results of InfluxQL statements, one each, times in ms."""
        form = [("db", database), ("epoch", "ms"), ("q", statements)]
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        _, body = self._call("POST", "/query", [], headers, form=form)
        results: list[dict[str, Any]] = self._json(body).get("results", [])
        return results

    def get(self, path: str, query: dict[str, str] | None = None) -> dict[str, Any] | None:
        """A resource; None where this server has none of its kind (not an InfluxDB 2)."""
        try:
            _, body = self._call("GET", path, list((query or {}).items()), {})
        except (Refused, _NotFound):
            return None
        return self._json(body)

    def create(self, path: str, what: dict[str, Any]) -> dict[str, Any]:
        """Make a resource."""
        headers = {"Content-Type": "application/json"}
        _, body = self._call("POST", path, [], headers, body=what)
        return self._json(body)

    def close(self) -> None:
        """Drop the connections."""
        if self._client is not None:
            self._client.close()

    def _json(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body, parse_int=lambda text: -0.0 if text == "-0" else int(text))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise StoreDown(f"{self.url} does not answer like an InfluxDB", standing=True)
        return found

    def _call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        *,
        body: bytes | dict[str, Any] | None = None,
        form: list[tuple[str, str]] | None = None,
    ) -> tuple[int, bytes]:
        import urllib3  # with influxdb_client, not before
        from influxdb_client.rest import ApiException

        if self._client is None:
            from influxdb_client.client.influxdb_client import InfluxDBClient

            # No retries in here: the writer decides when to ask again.
            self._client = InfluxDBClient(self.url, self._token, timeout=(CONNECT_MS, ANSWER_MS))
        try:
            answer = self._client.api_client.call_api(
                path, method, query_params=query, header_params=headers, body=body, post_params=form or [],
                _preload_content=False, _return_http_data_only=True,
            )  # fmt: skip
            data: bytes = answer.data
        except ApiException as failure:
            raise self._sorted(failure.status, failure.body, failure.headers or {}, failure.reason) from failure
        except (urllib3.exceptions.HTTPError, OSError) as failure:
            raise StoreDown(f"{self.url} cannot be reached: {_short(failure)}") from failure
        status: int = answer.status
        return status, data

    def _sorted(self, status: int, body: Any, headers: Any, reason: Any) -> Exception:
        words = _words(body) or str(reason or "")
        told = f"{self.url} answered {status}: {words}"
        if status in (400, 422):
            return Refused(words)
        if status == 413:
            return Refused(words or "request too large", too_large=True)
        if status in (401, 403):
            return StoreDown(f"{told} (the token may not do this)", standing=True)
        if status == 404:
            return _NotFound(told, standing=True)
        return StoreDown(told, retry_after=_retry_after(headers.get("Retry-After")))


def _words(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")
    try:
        found = json.loads(text)
    except ValueError:
        return text.strip()[:500]
    return str(found.get("message") or found.get("error") or text) if isinstance(found, dict) else text


def _short(failure: BaseException) -> str:
    """`HTTPConnectionPool(host=…): Failed to …` without the object's address."""
    text = str(failure)
    return text.split(">: ", 1)[-1] if ">: " in text else text


def _retry_after(text: str | None) -> float:
    """Seconds asked for by a Retry-After header (a number or a date); 0 where there is none."""
    if not text:
        return 0.0
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return 0.0
