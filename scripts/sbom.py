"""Writes requirements/sbom.cdx.json (CycloneDX 1.5) from the lock file: `python scripts/sbom.py [--check]`.

Nothing is asked of the network, so it says of the audit what is true: not audited here.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.parent
LOCK, BOM = HERE / "requirements/run.txt", HERE / "requirements/sbom.cdx.json"
_PINNED = re.compile(
    r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ;([^\\\n]+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)", re.MULTILINE
)


def components(lock: str) -> list[dict[str, Any]]:
    """One per pinned package: name, version, package URL, the hashes of its files, where it is wanted."""
    found = []
    for name, version, marker, hashes in _PINNED.findall(lock):
        one: dict[str, Any] = {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
        }
        told = [{"name": "greengauge:sha256", "value": value} for value in re.findall(r"sha256:([0-9a-f]{64})", hashes)]
        if marker.strip():
            told.append({"name": "greengauge:marker", "value": marker.strip()})
        found.append(one | {"properties": told})
    return found


def bom(lock: str) -> dict[str, Any]:
    """The whole document; no time and no serial number, so that the same lock gives the same file."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": "greengauge"},
            "properties": [{"name": "greengauge:audit", "value": "not audited here"}],
        },
        "components": components(lock),
    }


def main() -> int:
    """Write it; with `--check` only say whether it is up to date (exit code 1: it is not)."""
    text = json.dumps(bom(LOCK.read_text()), indent=1) + "\n"
    if "--check" in sys.argv[1:]:
        return 0 if BOM.exists() and BOM.read_text() == text else 1
    BOM.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
