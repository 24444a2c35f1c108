"""Telegraf as one would set it up for these meters: QoS 1, a persistent session, large batches, no gzip on loopback.

Nothing that would cost it time is left on: no host tag, no topic tag, whole milliseconds, errors logged only.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from greengauge.bench.intake.influx import ORG, TOKEN, Influxd
from greengauge.bench.intake.processes import Process, find

_CONFIG = """[agent]
  interval = "1s"
  flush_interval = "200ms"
  metric_batch_size = 5000
  metric_buffer_limit = 1000000
  precision = "1ms"
  omit_hostname = true
  quiet = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker}"]
  topics = ["plant/#"]
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = 100000
  topic_tag = ""
  name_override = "reading"
  data_format = "json"
  json_time_key = "ts"
  json_time_format = "unix_ms"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "plant/+/+/+/+/+"
    tags = "_/enterprise/site/area/line/meter"
"""
_INFLUX = """[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{token}"
  organization = "{org}"
  bucket = "{bucket}"
  content_encoding = "identity"
"""
_DISCARD = "[[outputs.discard]]\n"
CONFIGURATION = (
    "mqtt_consumer qos=1 persistent_session max_undelivered_messages=100000 json topic_parsing; "
    "influxdb_v2 identity; metric_batch_size=5000 metric_buffer_limit=1000000 flush_interval=200ms"
)


class Telegraf(Process):
    """One run of it, reading from a broker's port."""

    def __init__(self, folder: Path, broker: int, influx: Influxd | None, bucket: str = "") -> None:
        """Without `influx` what it decodes is thrown away."""
        output = _DISCARD if influx is None else _INFLUX.format(url=influx.url, token=TOKEN, org=ORG, bucket=bucket)
        config = folder / "telegraf.conf"
        config.write_text(_CONFIG.format(broker=broker) + output)
        super().__init__([find("telegraf") or "telegraf", "--config", config], folder, "telegraf")


def version() -> str:
    """Of the Telegraf on PATH; "missing" where there is none."""
    program = find("telegraf")
    if program is None:
        return "missing"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found on PATH
    return told.stdout.strip()
