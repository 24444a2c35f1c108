"""The kept plant of a large registry: the same plant, only for the same bytes, and never more than data."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from devices.errors import RegistryError
from devices.plant import load
from devices.plant.model import Plant
from greengauge import plant_cache
from greengauge.plant_cache import plant_of

EXAMPLE = Path(__file__).parents[1] / "devices" / "plant.example.toml"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small, and kept all the same."""
    monkeypatch.setattr(plant_cache, "LEAST_BYTES", 0)
    path = tmp_path / "plant.toml"
    path.write_text(EXAMPLE.read_text())
    return path


def never(path: Path) -> Plant:
    pytest.fail(f"{path} was read again")


def test_the_same_plant(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start takes what the first kept, in all its records equal."""
    first = plant_of(registry, tmp_path / "data")
    monkeypatch.setattr(plant_cache, "load", never)
    assert plant_of(registry, tmp_path / "data") == first == load(registry)


def test_another_registry(registry: Path, tmp_path: Path) -> None:
    """A changed byte is a changed plant; a mistake is told as ever."""
    plant_of(registry, tmp_path)
    registry.write_text(EXAMPLE.read_text().replace("people = 14", "people = 15"))
    assert plant_of(registry, tmp_path) == load(registry)
    registry.write_text(EXAMPLE.read_text().replace("people = 14", "people = true"))
    with pytest.raises(RegistryError):
        plant_of(registry, tmp_path)


def test_another_program(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older program made is not taken."""
    plant_of(registry, tmp_path)
    assert any(line.startswith(b"plant/registry.py:") for line in plant_cache._program())
    monkeypatch.setattr(plant_cache, "_program", lambda: [b"plant/registry.py:1:1"])
    read: list[Path] = []
    monkeypatch.setattr(plant_cache, "load", lambda path: read.append(path) or load(path))
    plant_of(registry, tmp_path)
    assert read == [registry]


@pytest.mark.parametrize("at", [3, 20, 50, 200, -1])
def test_a_damaged_file(registry: Path, tmp_path: Path, at: int) -> None:
    """Any changed byte, and the registry is read."""
    first = plant_of(registry, tmp_path)
    kept = tmp_path / "plant.cache"
    whole = bytearray(kept.read_bytes())
    whole[at] ^= 1
    kept.write_bytes(whole)
    assert plant_of(registry, tmp_path) == first
    kept.write_bytes(whole[:30])
    assert plant_of(registry, tmp_path) == first


class Evil:
    """Runs a command when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch evil",)


def test_nothing_is_run(registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose digest is right holds a command: it is not run, and the registry is read."""
    monkeypatch.chdir(tmp_path)
    first = plant_of(registry, tmp_path)
    kept = tmp_path / "plant.cache"
    state = pickle.dumps(Evil())
    kept.write_bytes(kept.read_bytes()[:40] + plant_cache._digest([state]) + state)
    assert plant_of(registry, tmp_path) == first
    assert not (tmp_path / "evil").exists()


def test_a_folder_that_cannot_be_written(registry: Path, tmp_path: Path) -> None:
    """The plant all the same."""
    (tmp_path / "data").touch()
    assert plant_of(registry, tmp_path / "data") == load(registry)


def test_small_registries_are_read(tmp_path: Path) -> None:
    """Nothing is kept of them."""
    assert plant_of(EXAMPLE, tmp_path) == load(EXAMPLE)
    assert not (tmp_path / "plant.cache").exists()
