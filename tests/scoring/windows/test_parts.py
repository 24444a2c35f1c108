"""Parts of kernels: nothing of their own is made, and kernels are the same with them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

from scoring.windows.parts import HOOKS, PART, PartLibrary

_PLANT = """
from numba.core.codegen import JITCodeLibrary
from scoring.windows.kernel import inner, kernel
made = []
finalise = JITCodeLibrary._finalize_specific
JITCodeLibrary._finalize_specific = lambda library: (made.append(library.name), finalise(library))

@inner
def deep(x):
    return x * 3

@inner
def part(x):
    return deep(x) + 1 if x > 0 else deep(-x)

@kernel
def whole(xs):
    total = 0
    for x in xs:
        total += part(x)
    return total

import numpy as np
print(whole(np.array([1, 2, -5])), sum(whole.stats.cache_hits.values()))
print("whole" in made, "part" in made or "deep" in made)
"""


def test_a_part_has_no_machine_code_of_its_own(tmp_path: Path) -> None:
    """1·3 + 1 + 2·3 + 1 + 5·3 = 26, compiled and again from the cache; of three functions one is made and kept."""
    (tmp_path / "toy.py").write_text(_PLANT)
    where = {"NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}

    def told() -> str:
        run = [sys.executable, "-c", "import toy"]
        return subprocess.run(run, env=os.environ | where, capture_output=True, text=True, check=True).stdout

    assert told().split() == ["26", "0", "True", "False"]
    assert told().split() == ["26", "1", "True", "False"]
    assert [file.name.split("-")[0] for file in (tmp_path / "kept").rglob("*.nbi")] == ["toy.whole"]


def test_numba_still_has_what_parts_hang_on() -> None:
    """If this fails, numba has renamed what `windows/parts.py` overrides: until mended, parts are compiled whole."""
    missing = [name for name in HOOKS if not hasattr(JITCodeLibrary, name)]
    assert not missing, f"numba's JITCodeLibrary has no {missing} any more"
    assert PART is not Compiler
    assert {name for name in vars(PartLibrary) if not name.startswith("__")} - {"_abc_impl"} == set(HOOKS)
