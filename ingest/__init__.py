"""From the socket to the store: the MQTT session, the durable log, decoding, quarantine, stores."""
