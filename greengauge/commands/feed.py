"""`greengauge feed`: a CSV file's rows as meter messages."""

from __future__ import annotations

import signal
from pathlib import Path

from devices.simulator.feed import feed, speed_of
from greengauge.settings import Settings
from greengauge.terminal import say_line


def run(file: Path, map_file: Path, settings: Settings, speed: str) -> None:
    """Publish, then say what was published and what was odd."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C takes the progress bar down first
    done = feed(file, map_file, broker=settings.address(), speed=speed_of(speed))
    rate = done.messages / done.seconds if done.seconds else 0.0
    took = f"{done.messages:,} messages in {done.seconds:.1f} s ({rate:,.0f}/s)"
    say_line(f"{done.rows:,} rows, {took} to {', '.join(done.topics)}")
    for note in done.notes():
        say_line(f"note: {note}")
