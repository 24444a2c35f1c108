"""The table of reasons can't rot."""

from __future__ import annotations

import re
from pathlib import Path

from ingest.decode import faults, internal
from tests.ingest.decode.test_bad_input import QUARANTINED

FOLDER = Path(faults.__file__).parent


def test_every_reason_is_in_the_table() -> None:
    """Every code that the decoder can give stands in the table of `faults`, and none stands there in vain."""
    source = "".join(path.read_text() for path in FOLDER.glob("*.py"))
    given = set(re.findall(r'Fault\(\s*"([a-z0-9-]+)"', source)) | {"bad-seq", "bad-rev"}
    given |= set(re.findall(r'reason, mend = "([a-z-]+)"', source))
    given.add(internal.REASON)
    rows = [line.split("|")[1] for line in (faults.__doc__ or "").splitlines() if line.startswith("| ")][1:]
    listed = {code.strip() for row in rows for code in row.split(",")}
    assert given == listed


def test_the_cases_cover_the_quarantined() -> None:
    """Every reason about payload, shape, time and value has a case in the list of bad input."""
    cased = {reason for _, reason, _ in QUARANTINED.values()}
    elsewhere = {"bad-frame", "too-large", "not-a-number", "retained-no-time", "bad-topic", "too-many-faults"}
    elsewhere.add(internal.REASON)
    pending = {"unknown-meter", "unknown-channel", "derived-channel"}
    rows = [line.split("|")[1] for line in (faults.__doc__ or "").splitlines() if line.startswith("| ")][1:]
    assert {code.strip() for row in rows for code in row.split(",")} == cased | elsewhere | pending
