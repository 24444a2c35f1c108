"""Why there is no connection, in words."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

DIAL_S = 5.0


class ConnectFailed(Exception):
    """No connection: why, and what a person could do."""

    def __init__(self, cause: str, *, kind: str = "unreachable", mend: str = "") -> None:
        self.cause, self.mend = cause, mend
        self.kind = kind  # "unreachable", "down" (nothing listens there), "version", "silent", "refused"
        super().__init__(cause)


def dialling_failed(failure: OSError | ValueError) -> ConnectFailed:
    """DNS, TCP or TLS did not work."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        return ConnectFailed(
            f"the broker's certificate is not accepted: {failure.verify_message}",
            mend="give its CA certificate, and use the host name that the certificate is for",
        )
    if isinstance(failure, ssl.SSLError):
        return ConnectFailed(f"TLS failed: {failure.reason or failure}", mend="check port, certificate and key")
    if isinstance(failure, socket.gaierror):
        return ConnectFailed(f"the host name is not known: {failure.strerror}", mend="check the broker's address")
    if isinstance(failure, TimeoutError):
        return ConnectFailed(f"no answer within {DIAL_S:g} s", mend="check the address and the firewall between")
    if isinstance(failure, ConnectionRefusedError):
        return ConnectFailed("nothing listens there", kind="down", mend="start the broker, or check its address")
    cause = (failure.strerror if isinstance(failure, OSError) else None) or str(failure)
    return ConnectFailed(cause.lower(), mend="check the broker's address and the network")


def hung_up(*, tls: bool) -> ConnectFailed:
    """The broker closed the connection instead of answering CONNECT: in TLS 1.3 it so refuses a certificate."""
    if tls:
        cause = "the broker closed the connection without an answer: it may not accept our client certificate"
        return ConnectFailed(cause, kind="silent", mend="check GREENGAUGE_BROKER_CERT and GREENGAUGE_BROKER_KEY")
    return ConnectFailed("the broker closed the connection without an answer", kind="silent")


def refused_by(reason: ReasonCode) -> ConnectFailed:
    """What a CONNACK other than success means."""
    name = str(reason)
    if name == "Unsupported protocol version":
        return ConnectFailed("the broker does not speak this MQTT version", kind="version")
    mends = {
        "Bad user name or password": "check the user name in the address and GREENGAUGE_BROKER_PASSWORD",
        "Not authorized": "let this user or client id in at the broker",
        "Client identifier not valid": "allow the client id at the broker",
    }
    return ConnectFailed(f"the broker refuses us: {name.lower()}", kind="refused", mend=mends.get(name, ""))
