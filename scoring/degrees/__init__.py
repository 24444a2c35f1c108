"""The four degrees, CO2 accounting and roll-up."""
