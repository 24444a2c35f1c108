"""Meters: where each stands, its topic, its parents, and its channels' rows."""

from __future__ import annotations

from dataclasses import replace

from devices import names, topics
from devices.errors import ConfigurationError
from devices.plant.assembly import channels as build
from devices.plant.assembly.book import Book
from devices.plant.model import Channel, Line, Meter, Stack
from devices.plant.tables.meter import MeterTable


def meters(book: Book) -> tuple[list[Meter], list[Channel]]:
    """All meters in order of name, all channels in order of meter and name."""
    ordered = sorted(book.registry.meters)
    book.meter_rows = {name: row for row, name in enumerate(ordered)}
    book.channel_rows = {pair: row for row, pair in enumerate(sorted(book.registry.channels))}
    own: dict[str, list[int]] = {name: [] for name in ordered}
    for (meter, _), row in book.channel_rows.items():
        own[meter].append(row)
    template = book.registry.intake.topic
    found = [_meter(book, name, tuple(own[name]), template) for name in ordered]
    channels = _channels(book)
    _check_fields(book)
    _check_topics(book, [m for m in found if m.topic], channels)
    _check_stacks(book, channels)
    return found, _shadowed(book, channels)


def _meter(book: Book, name: str, rows: tuple[int, ...], template: str) -> Meter:
    t, row = book.registry.meters[name], book.meter_rows[name]
    on = _place(book, t, f"meter.{name}")
    parent, main = _parent(book, name, t), _main(book, name, t)
    if on is None:
        return Meter(row, name, None, None, -1, "", t.every, rows, parent, main)
    line, stack = (on.index, None) if isinstance(on, Line) else (None, on.index)
    return Meter(row, name, line, stack, on.site, _topic(book, name, t, template, on), t.every, rows, parent, main)


def _topic(book: Book, name: str, t: MeterTable, template: str, on: Line | Stack) -> str:
    """The meter's own topic, else the template's; "" after noting that it cannot be."""
    try:
        if t.topic is not None:
            return topics.check(t.topic)
        site = book.site_rows[on.site]
        area = on.area if isinstance(on, Line) else topics.STACK_AREA
        return topics.check(topics.fill(template, site.enterprise, site.name, area, on.name, name))
    except ConfigurationError as problem:
        book.noted(f"meter.{name}", "topic", problem)
        return ""


def _place(book: Book, t: MeterTable, table: str) -> Line | Stack | None:
    """The line or stack that the meter stands on, if it can be used."""
    if (t.line is None) == (t.stack is None):
        cause = "stands on a line or on a stack, not on both" if t.line else "stands nowhere"
        book.mistakes.add(table, "line", cause, 'say `line = "…"` or `stack = "…"`')
    elif t.line is not None and book.knows("line", t.line, book.registry.lines, table, "line"):
        return book.lines.get(t.line)
    elif t.stack is not None and book.knows("stack", t.stack, book.registry.stacks, table, "stack"):
        return book.stacks.get(t.stack)
    return None


def _parent(book: Book, name: str, t: MeterTable) -> int | None:
    if t.parent is None or not book.knows("meter", t.parent, book.registry.meters, f"meter.{name}", "parent"):
        return None
    above: set[str] = set()
    upper: str | None = name
    while upper is not None and upper not in above:
        above.add(upper)
        upper = book.registry.meters[upper].parent if upper in book.registry.meters else None
    if upper == name:
        cause, mend = "goes round in a circle", "name the main meter that feeds this one"
        book.mistakes.add(f"meter.{name}", "parent", cause, mend)
    return book.meter_rows[t.parent]


def _main(book: Book, name: str, t: MeterTable) -> int | None:
    """The analyser that this one stands in for: another of its stack, which is no backup itself."""
    known = book.registry.meters
    if t.backup_of is None or not book.knows("meter", t.backup_of, known, f"meter.{name}", "backup_of"):
        return None
    main = known.get(t.backup_of)
    if main is None:  # its own mistakes are noted
        return None
    why = ""
    if t.stack is None or main.stack != t.stack:
        why = f"`{t.backup_of}` does not stand on the same stack"
    elif t.backup_of == name:
        why = "a meter is no backup of itself"
    elif main.backup_of is not None:
        why = f"`{t.backup_of}` is a backup itself"
    if why:
        book.mistakes.add(f"meter.{name}", "backup_of", why, "name the stack's main analyser")
    return book.meter_rows[t.backup_of]


def _channels(book: Book) -> list[Channel]:
    """First what is measured, then what is derived from it."""
    done: dict[tuple[str, str], Channel] = {}
    for want_derived in (False, True):
        for (meter, name), row in book.channel_rows.items():
            t = book.registry.channels[meter, name]
            if (t.kind == "derived") != want_derived:
                continue
            on = book.registry.meters[meter]
            spot = build.Spot(f"meter.{meter}.channels.{name}", meter, name, row, book.meter_rows[meter], on)
            made = build.derived(book, spot, t, done) if want_derived else build.measured(book, spot, t)
            if made is not None:
                done[meter, name] = made
                if made.counts is not None and made.counts.what == "product" and on.line is not None:
                    book.made.setdefault(on.line, set()).add(made.counts.id)
    return [done[pair] for pair in book.channel_rows if pair in done]


def _check_fields(book: Book) -> None:
    """Within a meter each field is one channel's; `x_q` is where the flag of `x` is stored."""
    fields: dict[str, dict[str, str]] = {}
    for (meter, name), t in sorted(book.registry.channels.items()):
        if t.kind == "derived":
            continue
        field, taken = t.field or name, fields.setdefault(meter, {})
        table = f"meter.{meter}.channels.{name}"
        if t.field is None:
            try:
                names.field(name)
            except ConfigurationError as problem:
                book.noted(table, "field", problem)
        if field in taken:
            book.mistakes.add(
                table,
                "field",
                f"`{field}` is the field of `{taken[field]}` too",
                "give each channel a field of its own",
            )
        taken.setdefault(field, name)
    for meter, name in sorted(book.registry.channels):
        plain = name.removesuffix("_q")
        if plain != name and (meter, plain) in book.registry.channels:
            cause = f"`{name}` is where the quality of `{plain}` is stored"
            book.mistakes.add(f"meter.{meter}.channels.{name}", "field", cause, "rename it")


def _check_topics(book: Book, meters: list[Meter], channels: list[Channel]) -> None:
    """Each topic is one meter's, also the topics of bare numbers."""
    owner: dict[str, str] = {}
    for meter in meters:
        if meter.topic in owner:
            cause = f"resolves to `{meter.topic}`, as meter `{owner[meter.topic]}` does"
            book.mistakes.add(f"meter.{meter.name}", "topic", cause, "give one of them a `topic` of its own")
        owner.setdefault(meter.topic, meter.name)
    by_row = {m.index: m for m in meters}
    for channel in channels:
        on = by_row.get(channel.meter)
        if on is None or channel.source is not None:
            continue
        bare = f"{on.topic}/{channel.field}"
        if bare in owner:
            cause = f"resolves to `{bare}`, where channel `{channel.name}` of meter `{on.name}` sends bare numbers"
            book.mistakes.add(f"meter.{owner[bare]}", "topic", cause, "give one of them another topic")


def _check_stacks(book: Book, channels: list[Channel]) -> None:
    """On one stack each name is measured once, backups apart: else nobody could say which NOx is meant."""
    called = {row: name for name, row in book.meter_rows.items()}
    seen: dict[tuple[str, str], str] = {}
    for channel in channels:
        meter = called[channel.meter]
        stack = book.registry.meters[meter].stack
        if stack is None:
            continue
        if book.registry.meters[meter].backup_of is not None:
            continue
        first = seen.setdefault((stack, channel.name), meter)
        if first != meter:
            cause = f"meter `{first}` measures `{channel.name}` of the same stack"
            mend = f'rename one of them, or say `backup_of = "{first}"` of the meter that stands in'
            book.mistakes.add(f"meter.{meter}.channels.{channel.name}", "", cause, mend)


def _shadowed(book: Book, channels: list[Channel]) -> list[Channel]:
    """A channel is shadowed where a meter above counts the same: the main meter or its children, never both."""
    counted: dict[str, set[str]] = {}
    called = {row: name for name, row in book.meter_rows.items()}
    for channel in channels:
        if channel.counts is not None:
            counted.setdefault(called[channel.meter], set()).add(str(channel.counts))

    def above(meter: str) -> set[str]:
        found: set[str] = set()
        seen = {meter}
        upper = book.registry.meters[meter].parent
        while upper is not None and upper in book.registry.meters and upper not in seen:
            seen.add(upper)
            found |= counted.get(upper, set())
            upper = book.registry.meters[upper].parent
        return found

    return [
        replace(channel, shadowed=True)
        if channel.counts is not None and str(channel.counts) in above(called[channel.meter])
        else channel
        for channel in channels
    ]
