"""Where compiled kernels are kept, and that the second process compiles all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devices.kernel_cache import cache_folder, cacheable, source_digest
from scoring.compiling import help_compiling

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "devices" / "simulator" / "demo.toml"


def python(*words: str, **env: str) -> str:
    """Run Python in the clone; all that it said."""
    told = subprocess.run(
        [sys.executable, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=240,
    )
    return told.stdout


def test_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Kernels are kept there, one folder a version, and numba is told; a folder that the user chose wins."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "greengauge" / "kernels" / source_digest()
    assert os.environ["NUMBA_CACHE_DIR"] == str(cache_folder())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert cache_folder() == cache_folder() == tmp_path / "chosen" / source_digest()


def test_nobody_helps_where_there_are_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One compiled kernel in the folder is enough to start no second process."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    (cache_folder() / "windows").mkdir(parents=True)
    (cache_folder() / "windows" / "exact.nbi").touch()
    assert help_compiling(DEMO) is None


def test_no_folder_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing can be kept, kernels are compiled for the process alone, and nobody helps."""
    (tmp_path / "file").touch()
    nowhere = str(tmp_path / "file" / "kernels")
    monkeypatch.setenv("NUMBA_CACHE_DIR", nowhere)
    assert not cacheable()
    assert help_compiling(DEMO) is None
    use = "from scoring.windows.exact import within; print(within.signatures)"
    assert python("-c", use, NUMBA_CACHE_DIR=nowhere).strip() == "[]"


@pytest.mark.long
def test_all_kernels_are_compiled_ahead(tmp_path: Path) -> None:
    """After the second process an engine finds every kernel: none is compiled for other types, none is missing."""
    readings = tmp_path / "readings.csv"
    rows = [f"{60_000 * n},k1-feed,feed,{300 + n % 7}" for n in range(1, 3000)]
    readings.write_text("\n".join(["ts,meter,channel,value", *rows, ""]))
    env = {"NUMBA_CACHE_DIR": str(tmp_path / "kernels"), "NUMBA_DEBUG_CACHE": "1"}
    assert "data saved" in python("-m", "scoring.compiling", str(DEMO), **env)
    told = python("-m", "greengauge", "replay", str(DEMO), str(readings), "--final", **env)
    assert "data loaded" in told
    assert "data saved" not in told
