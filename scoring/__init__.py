"""From readings to scores: windows, degrees, CO2, stacks, alarms. No clock, no network, no asyncio."""
