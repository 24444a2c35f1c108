"""Reading a registry: TOML with exact numbers, tables checked, tables fitted together, a `Plant` or every mistake."""

from __future__ import annotations

import gc
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from devices.errors import Mistake, RegistryError
from devices.plant.assembly.plant import assemble
from devices.plant.mistakes import Mistakes
from devices.plant.model import Plant
from devices.plant.registry import read

_TWICE = re.compile(r"Cannot (?:overwrite a value|declare .* twice|mutate immutable namespace .*)")


def load(path: str | os.PathLike[str]) -> Plant:
    """The plant that a registry file describes; RegistryError, with every mistake, if it cannot be used."""
    file = os.fspath(path)
    try:
        content = Path(path).read_bytes()
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise RegistryError(
            [_whole(file, f"cannot be read: {why}", "give the path of a registry, or write one with `greengauge init`")]
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        row = content.count(b"\n", 0, problem.start) + 1
        raise RegistryError([_whole(file, f"line {row} is not UTF-8 text", "save the file as UTF-8")]) from None
    return parse(text, file=file)


def parse(text: str, *, file: str = "registry") -> Plant:
    """As `load`, from the text itself; `file` is what mistakes call it."""
    mistakes = Mistakes(file)
    with _uncollected():
        registry = read(_toml(text, file), mistakes)
        plant = assemble(registry, mistakes)
    mistakes.raise_if_any()
    return plant


@contextmanager
def _uncollected() -> Iterator[None]:
    """While a large registry is read nothing is garbage; looking for it again and again takes a third of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        said = str(problem)
        mend = (
            "a key or table stands there twice: keep one"
            if _TWICE.search(said)
            else "compare with the documented registry; texts stand in quotes"
        )
        raise RegistryError([_whole(file, f"is not TOML: {said}", mend)]) from None
    except RecursionError:
        raise RegistryError([_whole(file, "is nested too deeply", "tables need no more than four levels")]) from None


def _whole(file: str, cause: str, mend: str) -> Mistake:
    return Mistake(file, "registry", "", cause, mend)
