"""Scores told anew: `rescore` computes them over the past, `restating` works the jobs off in slices."""
