"""Readings of the past, for restating: from the log as far as it reaches, from the store beyond it.

A piece may be empty: nothing can be told just now (the log is being looked through, the store has not answered),
ask again. So whoever reads keeps its time budget, and nobody waits in a thread that gauges need.
"""

from greengauge.past.past import LoggedPast, past_of

__all__ = ["LoggedPast", "past_of"]
