"""A large plant starts fast: the compiled plant of a registry, kept in the data folder.

Reading 100,000 meters from TOML, checking and fitting them takes 15 s; reading what came out of that, one. It is taken
only for the very bytes of the registry and the very files of this program that it was made from. What is read is data:
of all classes only those that a plant is made of are let in, so who can write there can run nothing.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import structlog

from devices import plant as room
from devices.plant import load
from devices.plant.model import Plant
from ingest.whole_file import write_whole

log = structlog.get_logger()

LEAST_BYTES = 1 << 20
"""Registries below this are read in a second: nothing is kept of them."""
_MAGIC = b"GGPLANT1"
_ALLOWED = frozenset({("datetime", "date"), ("fractions", "Fraction")})
_OURS = ("devices.plant.", "devices.units")


def plant_of(registry: Path, data: Path) -> Plant:
    """The plant of a registry file. RegistryError as `devices.plant.load`."""
    try:
        content = registry.read_bytes()
    except OSError:
        return load(registry)  # which says what is wrong
    if len(content) < LEAST_BYTES:
        return load(registry)
    kept, key = data / "plant.cache", _key(content)
    plant = _kept(kept, key)
    if plant is None:
        plant = load(registry)
        if registry.read_bytes() == content:  # else somebody has just written it
            _keep(kept, key, plant)
    return plant


def _kept(path: Path, key: bytes) -> Plant | None:
    """The plant that is kept there under this key; None where there is none or it cannot be read."""
    try:
        whole = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as failure:
        log.warning("plant_cache.unreadable", cause=str(failure), mend="the registry is read instead")
        return None
    head, state = whole[: len(_MAGIC) + 2 * len(key)], whole[len(_MAGIC) + 2 * len(key) :]
    if head != _MAGIC + key + _digest([state]):
        return None
    try:
        found = _Plain(io.BytesIO(state)).load()
    except Exception as odd:  # noqa: BLE001 - whatever a file holds that is no plant
        log.warning("plant_cache.damaged", cause=str(odd), mend="the registry is read instead")
        return None
    return found if isinstance(found, Plant) else None


def _keep(path: Path, key: bytes, plant: Plant) -> None:
    state = io.BytesIO()
    _Records(state, 5).dump(plant)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _MAGIC, key, _digest([state.getvalue()]), state.getvalue())
    except OSError as failure:  # the next start takes as long again
        log.warning("plant_cache.not_kept", cause=str(failure), mend="see the disk's space and rights")


def _key(content: bytes) -> bytes:
    """Of the registry's bytes and of the files that read it: whichever changes, the plant may."""
    return _digest([content, *_program()])


def _program() -> list[bytes]:
    folder = Path(room.__file__).parents[1]
    files = sorted(f for f in folder.rglob("*") if f.suffix in (".py", ".toml"))
    stamps = ((f.relative_to(folder), f.stat()) for f in files)
    return [f"{name}:{s.st_size}:{s.st_mtime_ns}\n".encode() for name, s in stamps]


def _digest(parts: Iterable[bytes]) -> bytes:
    found = hashlib.blake2b(digest_size=32)
    for part in parts:
        found.update(part)
    return found.digest()


class _Records(pickle.Pickler):
    """Writes a record as its class and fields: what dataclasses do by themselves is read three times slower."""

    def reducer_override(self, record: Any) -> Any:
        """A plant's records take all their fields."""
        if is_dataclass(record) and not isinstance(record, type):
            return type(record), tuple(getattr(record, f.name) for f in fields(record))
        return NotImplemented


class _Plain(pickle.Unpickler):
    """Makes records of a plant and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Only what a plant is made of: classes, never functions."""
        if module.startswith(_OURS) or (module, name) in _ALLOWED:
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"a plant holds no {module}.{name}")
