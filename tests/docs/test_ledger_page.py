"""docs/ledger.md: every key that `verify --json` tells is on it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from greengauge.commands.verify import to_json
from greengauge.rewinding import Rewound
from greengauge.verifying import Verified
from ingest.ledger import Ledger

PAGE = (Path(__file__).parent.parent.parent / "docs" / "ledger.md").read_text()


def test_every_key_is_documented() -> None:
    """Whoever reads the output finds each of its words."""
    it: Any = SimpleNamespace(plant=None, log=SimpleNamespace(began=lambda: 1))
    keys = to_json(Verified(0, 1, Ledger(), []), it, minutes=False).keys() | Rewound(0, 0, 0, True, 0).to_json().keys()
    assert {key for key in keys if not re.search(rf"`{key}`", PAGE)} == set()
