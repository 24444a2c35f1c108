"""From frames to readings: the definition, slow and readable, and (later) its compiled twin."""
