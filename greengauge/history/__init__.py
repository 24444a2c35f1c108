"""The embedded history: every closed step and block with all its revisions, and every alarm event.

`rows` says how one is packed, `file` keeps the SQLite file whole, `delivery` knows what went out, `history` is the
façade, `settle` numbers revisions.
"""

from greengauge.history.history import History

__all__ = ["History"]
