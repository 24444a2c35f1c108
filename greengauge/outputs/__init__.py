"""The ways out of the service: MQTT and the store."""
