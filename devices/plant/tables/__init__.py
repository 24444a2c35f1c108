"""The registry's tables as pydantic models: one concept a file. They know shapes and texts; how tables fit together is `devices.plant.build`'s."""
