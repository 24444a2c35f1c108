"""The script a user would write: aiomqtt in, json, influxdb-client's batching writer out.

`python -m greengauge.bench.intake.script BROKER_PORT INFLUX_URL ORG BUCKET TOKEN`; runs until its input ends, then
writes out what is left. Nothing is tuned but the queue: aiomqtt would drop messages when it is full. Note that it
acknowledges on arrival: what it holds when it dies is lost.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiomqtt
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.domain.write_precision import WritePrecision


async def listen(port: int, url: str, org: str, bucket: str, token: str) -> None:
    """Every message a point."""
    with InfluxDBClient(url=url, token=token, org=org) as influx, influx.write_api() as writer:
        async with aiomqtt.Client("127.0.0.1", port, identifier="script", clean_session=False) as client:
            await client.subscribe("plant/#", qos=1)
            async for message in client.messages:
                _, enterprise, site, area, line, meter = message.topic.value.split("/")
                told = json.loads(message.payload)
                point: Any = Point("reading")  # type: ignore[no-untyped-call] # influxdb-client's, untyped
                point.time(told.pop("ts"), WritePrecision.MS)
                for tag, value in zip(
                    ("enterprise", "site", "area", "line", "meter"), (enterprise, site, area, line, meter), strict=True
                ):
                    point.tag(tag, value)
                for field, value in told.items():
                    point.field(field, value)
                writer.write(bucket=bucket, record=point)


async def main(words: list[str]) -> None:
    """See above."""
    task = asyncio.create_task(listen(int(words[0]), *words[1:5]), name="listen")
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    await asyncio.wait([task])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
