"""Alarms as a pure state machine."""

from scoring.alarms.operational import OperationalBook
from scoring.alarms.plant import AlarmBook, Observation, observation

__all__ = ["AlarmBook", "Observation", "OperationalBook", "observation"]
