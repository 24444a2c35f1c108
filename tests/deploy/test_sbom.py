"""requirements/sbom.cdx.json is what the lock says, and claims no audit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sbom_is_of_this_lock() -> None:
    """Every pinned package with its version and hashes; renewed by scripts/lock, never by hand."""
    told = json.loads((ROOT / "requirements/sbom.cdx.json").read_text())
    lock = (ROOT / "requirements/run.txt").read_text()
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", lock, re.MULTILINE))
    assert {c["name"]: c["version"] for c in told["components"]} == pinned
    hashes = [p["value"] for c in told["components"] for p in c["properties"] if p["name"] == "greengauge:sha256"]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert told["metadata"]["properties"] == [{"name": "greengauge:audit", "value": "not audited here"}]
    assert subprocess.run([sys.executable, ROOT / "scripts/sbom.py", "--check"], check=False).returncode == 0
