"""The registry's tables as pydantic models: one concept a file. They know shapes and texts.

How tables fit together, `devices.plant.assembly` knows.
"""
