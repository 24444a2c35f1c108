"""Alarm rules: what is watched, and the limit in its unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from devices import durations
from devices.errors import ConfigurationError
from devices.plant.assembly.book import Book
from devices.plant.assembly.regimes import average_name, averages_of
from devices.plant.averages import WITHIN
from devices.plant.model import AlarmRule, Channel, Regime, Scope
from devices.plant.tables.alarm import AlarmTable
from devices.units import Quantity
from devices.words import listed

CONCENTRATION = "mg/m3"


def alarms(
    book: Book,
    scopes: tuple[Scope, ...],
    channels: list[Channel],
    regimes: Mapping[str, tuple[Regime, ...]],
    windows: tuple[str, ...],
) -> tuple[AlarmRule, ...]:
    """All rules, in order of scope and id."""
    measured: dict[str, set[str]] = {}
    names = {row: name for name, row in book.meter_rows.items()}
    for channel in channels:
        stack = book.registry.meters[names[channel.meter]].stack
        if stack is not None and channel.unit.dimension in ("mass/volume", "share"):
            measured.setdefault(stack, set()).add(channel.name)
    found: dict[tuple[str, str], AlarmRule] = {}
    for t in book.registry.alarms:
        if {"stack", "pollutant", "average", "watch"} & t.on.model_fields_set:
            rule = _emission(book, t, measured, regimes)
        else:
            rule = _score(book, t, {scope.id for scope in scopes}, windows)
        if rule is None:
            continue
        if (rule.scope, rule.id) in found:
            book.mistakes.add(
                f"alarm.{t.id}", "id", f"there are two alarms `{t.id}` on {rule.scope}", "give each its own id"
            )
        found[rule.scope, rule.id] = rule
    return tuple(rule for _, rule in sorted(found.items(), key=lambda item: item[0]))


def _emission(
    book: Book, t: AlarmTable, measured: Mapping[str, set[str]], regimes: Mapping[str, tuple[Regime, ...]]
) -> AlarmRule | None:
    table, on = f"alarm.{t.id}", t.on
    _only(book, f"{table}.on", t, ("stack", "pollutant", "average", "watch"), optional=("watch",))
    if on.stack is None or on.pollutant is None or on.average is None:
        return None
    if not book.knows("stack", on.stack, book.registry.stacks, f"{table}.on", "stack") or on.stack not in book.stacks:
        return None
    stack = book.stacks[on.stack]
    known = measured.get(on.stack, set()) - {"o2", "moisture"}
    known |= {"nox"} if {"no", "no2"} <= known else set()
    if on.pollutant not in known:
        book.mistakes.unknown(f"{table}.on", "pollutant", f"channel on stack `{on.stack}` called", on.pollutant, known)
    entries = regimes.get(stack.regime, ())
    average = _average(book, table, on.average, entries[-1] if entries else None)
    watch, regime = on.watch or "value", entries[-1] if entries else None
    limit, unit = _legal(regime, on.pollutant, average or "")
    if watch != "value":
        limit, unit = Fraction(0), "min" if watch == "minutes_left" else unit
    at = limit if t.limit.at is None else t.limit.at
    if at is None and regime is not None:
        cause = f"is missing, and regime `{stack.regime}` has no limit for `{on.pollutant}`"
        book.mistakes.add(f"{table}.limit", "at", cause, f"add it in {unit}, for example `at = 50`")
    if at is None or average is None:
        return None
    rule = _rule(book, t, f"stack:{stack.id}", at, unit, pollutant=on.pollutant, average=average)
    below = watch != "value" or average.endswith(WITHIN)
    return replace(rule, watch=watch, low=True) if below else rule


def _legal(regime: Regime | None, pollutant: str, average: str) -> tuple[Fraction | None, str]:
    """The limit of an average, if there is one, and the unit it is told in."""
    if regime is None:
        return None, CONCENTRATION
    if average.endswith(WITHIN):
        return None if regime.month_share is None else 100 * regime.month_share, "%"
    specific = regime.specific.get(pollutant)
    if specific is not None and average.endswith("-operating-days"):
        return specific.value, specific.unit
    return regime.average_limits.get(average, {}).get(pollutant) or regime.limits.get(pollutant), CONCENTRATION


def _score(book: Book, t: AlarmTable, scopes: set[str], windows: tuple[str, ...]) -> AlarmRule | None:
    table, on = f"alarm.{t.id}", t.on
    scope = on.scope
    if (on.line is None) == (on.scope is None):
        cause = "names a line and a scope" if on.line else "watches nothing"
        mend = 'name one, like `{ line = "k1", degree = "lcd", window = "1h" }`, or a stack, pollutant and average'
        book.mistakes.add(f"{table}.on", "", cause, mend)
        return None
    if on.line is not None:
        if not book.knows("line", on.line, book.registry.lines, f"{table}.on", "line"):
            return None
        scope = f"line:{book.lines[on.line].id}" if on.line in book.lines else None
    elif on.scope is not None and on.scope not in scopes:
        if "line" in book.registry.unreadable or book.registry.declared.get("line", set()) - book.lines.keys():
            return None  # it may be the scope of a line whose own mistakes are noted
        book.mistakes.unknown(f"{table}.on", "scope", "scope", on.scope, scopes)
        return None
    _only(book, f"{table}.on", t, ("line", "scope", "degree", "window"), optional=("line", "scope"))
    window = None if on.window is None else _window(book, f"{table}.on", on.window, windows)
    if t.limit.at is None:
        book.mistakes.add(f"{table}.limit", "at", "is missing", "add it, for example `at = 0.9`")
    if scope is None or window is None or on.degree is None or t.limit.at is None:
        return None
    return _rule(book, t, scope, t.limit.at, "", degree=on.degree, window=window)


def _rule(
    book: Book,
    t: AlarmTable,
    scope: str,
    at: Fraction,
    unit: str,
    *,
    pollutant: str | None = None,
    average: str | None = None,
    degree: str | None = None,
    window: str | None = None,
) -> AlarmRule:
    limit = t.limit
    return AlarmRule(
        id=t.id,
        scope=scope,
        pollutant=pollutant,
        average=average,
        degree=degree,
        window=window,
        at=at,
        unit=unit,
        low=limit.low,
        deadband=_deadband(book, t, at, unit),
        on_delay_ms=limit.on_delay,
        off_delay_ms=limit.off_delay,
        priority=t.priority,
    )


def _deadband(book: Book, t: AlarmTable, at: Fraction, unit: str) -> Fraction:
    given, table = t.limit.deadband, f"alarm.{t.id}.limit"
    if given is None:
        return Fraction(0)
    if isinstance(given, Fraction):
        value = given
    elif given.unit.symbol == "%":
        value = abs(at) * given.value / 100
    else:
        value = _in(book, given, unit, table)
    if value < 0:
        book.mistakes.add(table, "deadband", "is below zero", "write zero or more")
    return value


def _in(book: Book, given: Quantity, unit: str, table: str) -> Fraction:
    try:
        return given.to(unit or "1")
    except ConfigurationError as problem:
        book.noted(table, "deadband", problem)
        return Fraction(0)


def _average(book: Book, table: str, text: str, regime: Regime | None) -> str | None:
    try:
        name = average_name(text, regime)
    except ConfigurationError as problem:
        book.noted(f"{table}.on", "average", problem)
        return None
    if name is None:
        book.mistakes.add(
            f"{table}.on", "average", f"there is no average over `{text}`", f"use one of {listed(averages_of(regime))}"
        )
    return name


def _window(book: Book, table: str, text: str, windows: tuple[str, ...]) -> str | None:
    try:
        ms = durations.parse(text)
    except ConfigurationError as problem:
        book.noted(table, "window", problem)
        return None
    same = [window for window in windows if durations.parse(window) == ms]
    if not same:
        book.mistakes.add(
            table,
            "window",
            f"there is no window `{text}`",
            f"use one of {listed(windows)}, or add it to [scoring] windows",
        )
        return None
    return same[0]


def _only(book: Book, table: str, t: AlarmTable, keys: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Notes keys of the other kind of alarm, and keys that are not there."""
    for key in sorted(t.on.model_fields_set - set(keys)):
        book.mistakes.add(table, key, f"does not go with {', '.join(f'`{k}`' for k in keys)}", "make it two alarms")
    for key in keys:
        if getattr(t.on, key) is None and key not in optional:
            book.mistakes.add(
                table,
                key,
                "is missing",
                "an alarm watches a stack's pollutant over an average, or a degree over a window",
            )
