"""What a key's value is: a number in the key's unit, a dated factor, or a laboratory's channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.model import Channel, Dated, Kind
from devices.plant.tables.worth import Said
from devices.plant.values import Sampled, Series, Value
from devices.units import Quantity, Unit, convert, factor, unit
from devices.words import listed, suggestion

SHARE = "1"
"""Target of mass shares: `0.65`, `65 %` and `0.65 t/t` are one."""


class Worths:
    """Resolves values; whatever does not fit is noted."""

    def __init__(self, book: Book, channels: Sequence[Channel], factors: Mapping[str, tuple[Dated, ...]]) -> None:
        self._book, self._factors = book, factors
        self._channels = {channel.index: channel for channel in channels}

    def share(self, said: Said | None, table: str, key: str, *, lab: bool = True) -> Value | None:
        """A share from 0 to 1."""
        value = self.value(said, SHARE, table, key, lab=lab)
        if isinstance(value, Series):
            given = [entry.value for entry in value.entries]
        else:
            fixed = value.default if isinstance(value, Sampled) else value
            given = [] if fixed is None else [fixed]
        if any(not 0 <= g <= 1 for g in given):
            self._book.mistakes.add(table, key, "is not a share", "write a number from 0 to 1, or `40 %`")
        return value

    def value(self, said: Said | None, target: str, table: str, key: str, *, lab: bool = True) -> Value | None:
        """The value in `target`; None where none is said or what is said was noted. `lab`: a laboratory may say it."""
        if said is None:
            return None
        try:
            if said.value is not None:
                return _number(said.value, target)
            if said.name in self._factors:
                return Series(said.name, tuple(self._dated(entry, target) for entry in self._factors[said.name]))
            return self._sampled(said, target, table, key, lab=lab)
        except ConfigurationError as problem:
            self._book.noted(table, key, problem)
            return None

    def _dated(self, entry: Dated, target: str) -> Dated:
        return replace(entry, value=_converted(entry.value, unit(entry.unit), target), unit=target)

    def _sampled(self, said: Said, target: str, table: str, key: str, *, lab: bool) -> Value | None:
        book, registry = self._book, self._book.registry
        found = _split(said.name, registry.channels)
        if found is None:
            if not registry.may_know("factor", said.name) and not registry.may_know("channel", said.name):
                known = {f"{meter}.{channel}" for meter, channel in registry.channels}
                what = "factor or channel" if lab else "factor"
                book.mistakes.unknown(table, key, what, said.name, {*self._factors, *(known if lab else ())})
            return None
        channel = self._channels.get(book.channel_rows[found])
        if channel is None:  # its own mistake is noted
            return None
        if not lab:
            book.mistakes.add(table, key, "is no value that a laboratory gives", "write a number or the id of a factor")
            return None
        if channel.source is not None:
            cause = f"`{said.name}` is derived"
            book.mistakes.add(table, key, cause, "name the channel that it is derived from")
            return None
        if channel.kind is not Kind.LEVEL:
            cause = f"`{said.name}` is no level but of kind `{registry.channels[found].kind}`: it has no value to hold"
            levels = sorted(f"{m}.{c}" for (m, c), t in registry.channels.items() if t.kind == "level")
            mend = suggestion(said.name, levels) or f'name a channel of `kind = "level"`: {listed(levels)}'
            book.mistakes.add(table, key, cause, mend if levels else 'name a channel of `kind = "level"`')
            return None
        times = channel.step * channel.times * _converted(Fraction(1), channel.unit, target)
        default = None if said.default is None else _number(said.default, target)
        return Sampled(channel.index, times, default, share=target == SHARE)


def _split(name: str, channels: Mapping[tuple[str, str], object]) -> tuple[str, str] | None:
    parts = name.split(".")
    pairs = [(".".join(parts[:i]), ".".join(parts[i:])) for i in range(1, len(parts))]
    return next((pair for pair in pairs if pair in channels), None)


def _number(given: Quantity | Fraction, target: str) -> Fraction:
    if isinstance(given, Quantity):
        return _converted(given.value, given.unit, target)
    if target != SHARE:
        raise ConfigurationError(
            f"`{_plain(given)}` has no unit", mend=f'write it with its unit in quotes, like "{_plain(given)} {target}"'
        )
    return given


def _converted(value: Fraction, given: Unit, target: str) -> Fraction:
    if target == SHARE and given.dimension in ("mass/mass", "share"):
        return value * given.scale
    if given.offset:
        return convert(value, given, target)
    return value * factor(given, target)


def _plain(value: Fraction) -> str:
    return f"{float(value):g}"
