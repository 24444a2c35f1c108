"""From frames to readings: the definition of what a payload means."""
