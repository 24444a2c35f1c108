"""The simulated plant, its publisher, and `feed`: readings from nowhere or from a file. No engine imports this."""

from pathlib import Path

DEMO = Path(__file__).with_name("demo.toml")
"""The demo's registry."""
