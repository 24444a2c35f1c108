"""Kernels come when they come: beside the service on a cold cache, for this process alone where none can be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEEN = "from ingest import kernels; print(kernels.ready()); print(kernels.wait(200)); print(kernels.ready())"


def python(words: str, cache: Path) -> str:
    """Run Python in the clone; all that it said."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(cache), "NUMBA_DEBUG_CACHE": "1"}
    command = [sys.executable, "-c", words]
    told = subprocess.run(command, env=env, stdout=-1, stderr=subprocess.STDOUT, text=True, check=True, timeout=400)
    return told.stdout


def test_nothing_is_compiled_for_who_does_not_decode(tmp_path: Path) -> None:
    """`check` and `explain` never wait for numba's import."""
    told = python("import sys, ingest.decode.twin, ingest.line_protocol; print('numba' in sys.modules)", tmp_path)
    assert told.strip() == "False"


@pytest.mark.long
def test_a_cold_cache(tmp_path: Path) -> None:
    """Another process compiles, this one only loads; the next start finds everything."""
    told = python(SEEN, tmp_path / "kernels")
    assert [word for word in told.split() if word in ("True", "False")] == ["False", "True", "True"]
    assert "data loaded" in told
    assert "data saved" not in told
    assert "data saved" not in python(SEEN, tmp_path / "kernels")


@pytest.mark.long
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Then they are compiled for this process alone."""
    (tmp_path / "file").touch()
    assert python(SEEN, tmp_path / "file" / "kernels").split() == ["False", "True", "True"]


def test_a_compiler_that_fails(tmp_path: Path) -> None:
    """Whatever it dies of: the definition goes on serving, and the log says why."""
    told = python(
        "from ingest import kernels\n"
        "def load(): raise RuntimeError('no LLVM here')\n"
        "kernels.load, kernels._compile_aside = load, lambda: None\n"
        "print(kernels.wait(5), kernels.ready())",
        tmp_path,
    )
    assert "no LLVM here" in told
    assert told.split()[-2:] == ["False", "False"]
