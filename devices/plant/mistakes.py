"""Collecting mistakes: every one of a registry, in the words of its keys, with what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from devices.errors import ConfigurationError, Mistake, RegistryError
from devices.names import shown, visible
from devices.plant.tables.reading import UnreadableValue
from devices.words import listed, suggestion

M = TypeVar("M", bound=BaseModel)

_SHOULD_BE = {
    "bool_type": ("should be true or false", "write `true` or `false`, without quotes"),
    "string_type": ("should be a text", "write it in quotes"),
    "dict_type": ("should be a table", "write it in braces, like `{ key = value }`"),
    "model_type": ("should be a table", "write it in braces, like `{ key = value }`"),
}


class Mistakes:
    """The mistakes found so far in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: dict[Mistake, None] = {}  # in the order found, each once

    def add(self, table: str, key: str, cause: str, mend: str) -> None:
        """One more; on one line whatever the registry's texts hold."""
        mistake = Mistake(self.file, visible(table), visible(key), visible(cause), visible(mend))
        self.found.setdefault(mistake)

    def take(self, table: str, key: str, problem: ConfigurationError) -> None:
        """One more, from a value that could not be read."""
        self.add(table, key, problem.cause, problem.mend)

    def unknown(self, table: str, key: str, what: str, word: str, known: Iterable[str], where: str = "") -> None:
        """A reference to something that is nowhere; `where` says how it would be declared."""
        names = list(known)
        mend = suggestion(word, names) or (f"declare {where}" if where else "")
        if names and not mend.startswith("did"):
            mend = ", or ".join(filter(None, [mend, f"use one of {listed(names)}"]))
        self.add(table, key, f"there is no {what} {shown(word)}", mend or f"there is no {what} at all yet")

    def check(self, model: type[M], raw: object, table: str) -> M | None:
        """The table as its model, or None after noting every mistake in it."""
        if not isinstance(raw, dict):
            self.add(table, "", "should be a table", f"write `[{table}]` and its keys below it")
            return None
        try:
            return model.model_validate(raw)
        except ValidationError as wrong:
            for error in wrong.errors(include_url=False):
                self._translate(model, table, error)
            return None

    def raise_if_any(self) -> None:
        """RegistryError with all of them."""
        if self.found:
            raise RegistryError(tuple(self.found))

    def _translate(self, model: type[BaseModel], table: str, error: Mapping[str, Any]) -> None:
        *path, last = error["loc"] or ("",)
        inner: type[BaseModel] = model
        for step in path:
            inner = _nested(_fields(inner)[str(step)])
            table = f"{table}.{step}"
        key, known = str(last), _fields(inner)
        kind = error["type"]
        unreadable = error.get("ctx", {}).get("error")
        if isinstance(unreadable, UnreadableValue):
            for mistake in unreadable.mistakes:
                self.take(table, key, mistake)
            return
        if kind == "extra_forbidden":
            cause = "unknown key"
            mend = suggestion(key, known) or f"known here are {listed(known, most=30)}"
            if key in ("schema", "profiles"):
                mend = "it is a key of the whole file: write it above the first table"
        elif kind == "missing":
            example = (known[key].examples or ["…"])[0]
            cause, mend = "is missing", f"add it, for example `{key} = {example}`"
        elif kind == "literal_error":
            choices = [str(choice) for choice in _choices(known[key])]
            given = error["input"]
            cause = f"{shown(given) if isinstance(given, str) else f'`{given}`'} is none of the choices"
            near = suggestion(given, choices) if isinstance(given, str) else ""
            mend = near or f"use one of {listed(choices)}"
        else:
            cause, mend = _SHOULD_BE.get(kind, (error["msg"], "compare with the documented registry"))
        self.add(table, key, cause, mend)


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _nested(info: FieldInfo) -> type[BaseModel]:
    kinds = [info.annotation, *get_args(info.annotation)]
    return next(k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))


def _choices(info: FieldInfo) -> Iterable[object]:
    for part in (info.annotation, *get_args(info.annotation)):
        if part is not type(None) and get_args(part) and isinstance(get_args(part)[0], str):
            return get_args(part)
    return get_args(info.annotation)
