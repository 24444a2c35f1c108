"""The MQTT session: what arrives, as chunks of raw PUBLISH frames, each with one acknowledgement."""
