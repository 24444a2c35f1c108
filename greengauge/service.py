"""`Service`: the only module that builds everything. One TaskGroup, every task named.

    intake   session → log → PUBACK            writer      log → store (cursor: store)
    scorer   log → engine → live, history       quarantine  log → quarantine (cursor: quarantine)
    page     HTTP and WebSocket                 outputs     history → store;  mqtt-out  live → broker
    keeper   prune, meters' ages, the state that people see

Each reads the log from its own cursor; none waits for another.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

import structlog

from devices.errors import ConfigurationError, EnvironmentFailure
from devices.plant import load
from devices.plant.model import Plant
from greengauge.history import History
from greengauge.live import Live
from greengauge.mqtt_out import MqttOut, connector
from greengauge.outputs import Outputs
from greengauge.page.app import build
from greengauge.page.context import PageContext
from greengauge.page.server import PageServer
from greengauge.scorer import Scorer
from greengauge.settings import Settings
from greengauge.versions import Decoders
from ingest.intake import Intaker
from ingest.log.log import SegmentLog
from ingest.quarantine import Quarantine
from ingest.session.session import Session
from ingest.session.settings import BrokerSettings
from ingest.store.base import Store
from ingest.store.embedded import EmbeddedStore
from ingest.store.influx import InfluxStore
from ingest.writer import StoreWriter
from scoring.results import Alarm

log = structlog.get_logger()

KEEPER_EVERY_S = 1.0
