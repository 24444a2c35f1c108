"""The application: command line, settings, service, live page."""
