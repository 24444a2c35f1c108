"""The InfluxDB 2 store: line protocol in through /api/v2/write, InfluxQL out through /query.

InfluxQL, because Flux is frozen and absent in InfluxDB 3, and dashboards need it anyway.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ingest.store.base import BadPoint, Span, StoreDown
from ingest.store.influx_http import InfluxHttp
from ingest.store.salvage import Conflicts, Refused, settle
from ingest.worker import Worker

DEFAULT = "greengauge"
"""Organisation and bucket where nothing is said and nothing can be found out."""
MAX_BYTES = 8 << 20
STATEMENTS = 100
"""InfluxQL statements in one request: 17 ms of influxd for small spans."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where points go."""

    org: str  # name or id
    bucket: str
    bucket_id: str = ""
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class _Lane:
    http: InfluxHttp
    worker: Worker


class InfluxStore:
    """An InfluxDB 2. Nothing is asked of it before the first use: it may be down when we start."""

    writes_at_once = 4

    def __init__(self, url: str, token: str, org: str | None = None, bucket: str | None = None) -> None:
        """`url` may carry `?org=…&bucket=…`; what is not given is found out (see `_find`)."""
        parts = urlsplit(url)
        asked = parse_qs(parts.query)
        self._org = org or next(iter(asked.get("org", [])), None)
        self._bucket = bucket or next(iter(asked.get("bucket", [])), None)
        base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        self.name = f"InfluxDB at {base}"
        # Each lane is a connection that is kept and a thread of its own: a question must not wait behind a write that
        # stalls. The lane used last is taken first, so a quiet plant keeps one connection.
        self._lanes = [_Lane(InfluxHttp(base, token), Worker(f"influx store {n}")) for n in range(self.writes_at_once)]
        self._free: asyncio.LifoQueue[_Lane] = asyncio.LifoQueue()
        for lane in self._lanes:
            self._free.put_nowait(lane)
        self._asking, self._reading = InfluxHttp(base, token), Worker("influx store queries")
        self._finding = threading.Lock()  # two that look at once would make two buckets
        self._target: Target | None = None
        self._database: str | None = None
        self._conflicts: Conflicts = {}

    async def write(self, lines: Sequence[bytes]) -> list[BadPoint]:
        """See `Store.write`."""
        if not lines:
            return []
        lane = await self._free.get()
        try:
            return await lane.worker.call(lambda: self._write(lane.http, lines))
        finally:
            self._free.put_nowait(lane)

    async def look_up(self, spans: Sequence[Span]) -> list[dict[int, float | str]]:
        """See `Store.look_up`."""
        statements = [_select(span) for span in spans]
        return [dict(rows) for rows in await self._reading.call(lambda: self._ask(statements))]

    async def close(self) -> None:
        """See `Store.close`. Does not wait for a request that stalls."""
        for lane in (*self._lanes, _Lane(self._asking, self._reading)):
            lane.worker.stop()
            lane.http.close()

    # --- in the worker threads ---------------------------------------------------------------

    def _write(self, http: InfluxHttp, lines: Sequence[bytes]) -> list[BadPoint]:
        with self._finding:
            target = self._target = self._target or self._find(http)
        try:
            return settle(
                lines,
                lambda body: http.write(target.org, target.bucket, body),
                self._conflicts,
                max_bytes=MAX_BYTES,
            )
        except StoreDown as down:
            if down.standing:  # bucket renamed, token changed: look again next time
                self._target = None
            raise

    def _ask(self, statements: list[str]) -> list[list[tuple[int, Any]]]:
        if self._database is None:
            self._database = self._map(self._asking)
        rows: list[list[tuple[int, Any]]] = []
        for at in range(0, len(statements), STATEMENTS):
            try:
                results = self._asking.influxql(self._database, ";".join(statements[at : at + STATEMENTS]))
            except Refused as refusal:
                raise StoreDown(f"{self.name} refuses a query: {refusal.words}", standing=True) from refusal
            for result in results:
                if "error" in result:
                    self._database = None
                    raise StoreDown(f"{self.name}: {result['error']} (may the token read it?)", standing=True)
                found = [tuple(row) for one in result.get("series", []) for row in one["values"]]
                rows.append(sorted(found))  # several series: one after another
        return rows

    def _find(self, http: InfluxHttp) -> Target:
        """As set; else the bucket `greengauge`; else the only bucket the token sees; else a new one, if it may."""
        health = http.get("/health") or {}
        if health.get("version"):
            self.name = f"InfluxDB {str(health['version']).lstrip('v')} at {http.url}"
        if self._org and self._bucket:
            return self._named(http, self._org, self._bucket)
        found = http.get("/api/v2/buckets", {"limit": "100"} | ({"org": self._org} if self._org else {})) or {}
        buckets = [b for b in found.get("buckets", []) if b.get("type") != "system"]
        wanted = [b for b in buckets if b["name"] == (self._bucket or DEFAULT)]
        if not wanted and not self._bucket:
            wanted = buckets
        if len(wanted) == 1:
            chosen = wanted[0]
            return Target(self._org or chosen["orgID"], chosen["name"], chosen["id"], chosen["orgID"])
        if len(wanted) > 1:
            names = ", ".join(sorted(b["name"] for b in wanted))
            raise StoreDown(f"{self.name} has several buckets ({names}): set GREENGAUGE_INFLUX_BUCKET", standing=True)
        orgs = (http.get("/api/v2/orgs", {"org": self._org} if self._org else None) or {}).get("orgs", [])
        if len(orgs) == 1:
            made = http.create("/api/v2/buckets", {"orgID": orgs[0]["id"], "name": self._bucket or DEFAULT})
            return Target(self._org or orgs[0]["id"], made["name"], made["id"], made["orgID"])
        # A token that can only write sees nothing at all: take the names for granted, a write will tell.
        return Target(self._org or DEFAULT, self._bucket or DEFAULT)

    def _named(self, http: InfluxHttp, org: str, bucket: str) -> Target:
        found = (http.get("/api/v2/buckets", {"org": org, "name": bucket}) or {}).get("buckets", [])
        ids = (found[0]["id"], found[0]["orgID"]) if found else ("", "")
        return Target(org, bucket, *ids)

    def _map(self, http: InfluxHttp) -> str:
        """The InfluxQL database of our bucket. InfluxDB from 2.4 maps each bucket by itself; before, we do."""
        with self._finding:
            target = self._target or self._find(http)
        if not target.bucket_id:
            return target.bucket
        mappings = http.get("/api/v2/dbrps", {"orgID": target.org_id, "bucketID": target.bucket_id})
        if mappings is None:
            return target.bucket
        for mapping in mappings.get("content", []):
            if mapping["default"]:
                return str(mapping["database"])
        new = {"orgID": target.org_id, "bucketID": target.bucket_id, "database": target.bucket,
               "retention_policy": "autogen", "default": True}  # fmt: skip
        try:
            http.create("/api/v2/dbrps", new)
        except (StoreDown, Refused) as refusal:
            raise StoreDown(
                f"{self.name}: bucket {target.bucket} is not mapped for InfluxQL and this token may not map it; run "
                f"`influx v1 dbrp create --db {target.bucket} --rp autogen --default --bucket-id {target.bucket_id}`",
                standing=True,
            ) from refusal
        return target.bucket


def _select(span: Span) -> str:
    """One statement over first ≤ time ≤ last (ms)."""
    series = span.series
    where = "".join(f"{_name(k)} = {_text(v)} AND " for k, v in sorted(series.tags.items()))
    where += f"time >= {span.first:d}ms AND time <= {span.last:d}ms"
    return f"SELECT {_name(series.field)} FROM {_name(series.measurement)} WHERE {where}"  # noqa: S608 - quoted just here


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
