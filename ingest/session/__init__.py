"""The MQTT session: what arrives, as chunks of raw PUBLISH frames, each with one acknowledgement."""

from devices.broker import Broker
from ingest.session.chunk import Chunk, Intake
from ingest.session.options import client_id
from ingest.session.session import MqttSession
from ingest.session.state import Loss, SessionState

__all__ = ["Broker", "Chunk", "Intake", "Loss", "MqttSession", "SessionState", "client_id"]
