"""The words: plants, lines, meters, channels, units, readings, topics, payloads; the simulated plant."""
