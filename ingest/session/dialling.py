"""What is asked of paho and of the broker: the client, the connection, the subscriptions. Nothing here keeps state."""

from __future__ import annotations

from collections.abc import Sequence

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from devices.broker import Broker
from ingest.session.failures import DIAL_S
from ingest.session.wire import WireClient

EXPIRY_S = 30 * 86_400
"""How long the broker keeps our session and queue while we are away."""


def made(broker: Broker, client_id: str, *, level: int) -> WireClient:
    """A client of MQTT protocol level 5 or 4 that dials nobody yet."""
    five = level == 5
    client = WireClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        clean_session=None if five else False,
        reconnect_on_failure=False,  # else paho would fall back to MQTT 3.1 by itself
        manual_ack=True,
    )
    client.connect_timeout = DIAL_S
    if broker.username is not None:
        client.username_pw_set(broker.username, broker.password)
    return client


def dial(client: Client, broker: Broker, *, level: int, keepalive: int) -> None:
    """Blocking: DNS, TCP, TLS, CONNECT. `keepalive` in s. Raises OSError, ValueError."""
    if broker.tls:
        ca, cert, key = (str(file) if file else None for file in (broker.ca, broker.cert, broker.key))
        client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)
    if level != 5:
        client.connect(broker.host, broker.port, keepalive)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's, untyped
    properties.SessionExpiryInterval = EXPIRY_S
    properties.ReceiveMaximum = 65_535  # lifts the broker's default of 20 in flight; memory is bounded by bytes
    client.connect(broker.host, broker.port, keepalive, clean_start=False, properties=properties)


def subscribe(client: Client, filters: Sequence[str], *, level: int) -> None:
    """Ask for these at QoS 1; what is retained, where the level can say so, only with a new subscription."""
    options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
    if level == 5:
        client.subscribe([(name, options) for name in filters])
    else:
        client.subscribe([(name, 1) for name in filters])
