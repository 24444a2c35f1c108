"""The plant: registry files read, checked as a whole and compiled."""
