"""Alarms as a pure state machine."""
