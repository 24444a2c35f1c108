"""HJ 212-2017 quality letters (payload key `q`) and what a regime makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

Meaning = Literal["valid", "calibration", "maintenance", "fault", "stopped"]
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)

LETTERS = "NFMSDCTB"
"""normal, stopped, maintenance, set by hand, fault, calibration, beyond the range, no connection."""

DEFAULT: Mapping[str, Meaning] = MappingProxyType(
    {
        "N": "valid",
        "S": "valid",
        "M": "maintenance",
        "C": "calibration",
        "F": "stopped",
        "D": "fault",
        "T": "fault",
        "B": "fault",
    }
)
"""HJ 212-2017 table 8 [recalled]; any other letter is a fault."""
