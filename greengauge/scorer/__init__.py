"""The engine at work in the service: fed from the log, shown, kept."""
