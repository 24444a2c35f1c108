"""The simulated plant, its edge meters, and `feed`. No engine may import this."""
