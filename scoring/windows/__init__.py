"""Rolling windows as sums of exact integer cells."""
