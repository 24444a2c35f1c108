"""What may be a name. Names become topic levels, tags and fields: nothing that has a meaning there may be in them."""

from __future__ import annotations

import unicodedata

from devices.errors import ConfigurationError

MOST_BYTES = 200
_ALLOWED = "-_."
_MEND = "use letters, digits, `-`, `_` and `.`"
_WHY = {
    "/": "`/` separates the levels of a topic",
    "+": "`+` is a wildcard in topics",
    "#": "`#` is a wildcard in topics",
    " ": "a space ends a field in line protocol",
    ",": "`,` separates tags in line protocol",
    "=": "`=` separates a tag from its value in line protocol",
    '"': "quotes begin a text in line protocol",
    "'": "quotes begin a text in queries",
    "\\": "a backslash escapes the next character in line protocol",
    "\n": "a newline ends a point in line protocol",
    "\r": "a carriage return breaks a line in line protocol",
    "\t": "a tab is invisible in lists",
    "\0": "MQTT forbids the zero character",
    "<": "`<` begins a tag on the page",
    ">": "`>` ends a tag on the page",
    "&": "`&` begins an entity on the page",
    "{": "`{` begins a placeholder of the topic template",
    "}": "`}` ends a placeholder of the topic template",
    "$": "`$` begins the broker's own topics",
    ":": "`:` separates the level from the name in a scope",
}
RESERVED_FIELDS = {
    **dict.fromkeys(("ts", "seq", "rev", "q", "meter", "close"), "it is a reserved key of the payload"),
    "time": "InfluxDB keeps `time` for the point's own time",
    **dict.fromkeys(("enterprise", "site", "area", "line", "stack"), "it is a tag of the same point in InfluxDB"),
}


def name(text: str, *, also: str = "") -> str:
    """The name itself; ConfigurationError, with the reason, if a character in it has a meaning elsewhere."""
    if not text:
        raise ConfigurationError("a name is empty", mend=_MEND)
    for letter in text:
        if not (letter.isalnum() or letter in _ALLOWED or letter in also):
            why = _WHY.get(letter) or f"{letter!a} is neither letter nor digit"
            raise ConfigurationError(f"the name {shown(text)} cannot be used: {why}", mend=_MEND)
    if unicodedata.normalize("NFC", text) != text:
        raise ConfigurationError(
            f"the name {shown(text)} is not in composed form: two spellings would look the same",
            mend="retype it (Unicode NFC)",
        )
    if len(text.encode()) > MOST_BYTES:
        raise ConfigurationError(f"the name {shown(text[:20])}… is longer than {MOST_BYTES} bytes", mend="shorten it")
    if text[0] in "_.":
        why = "InfluxDB keeps such names for itself" if text[0] == "_" else "an address would read it as a folder"
        raise ConfigurationError(
            f"the name {shown(text)} begins with `{text[0]}`: {why}", mend="begin with a letter or a digit"
        )
    return text


def identifier(text: str) -> str:
    """As `name`; a colon may stand in it: `grid:CN`."""
    return name(text, also=":")


def field(text: str) -> str:
    """As `name`; not one of the keys that mean something in a payload or a point."""
    if text in RESERVED_FIELDS:
        raise ConfigurationError(
            f"no field can be called `{text}`: {RESERVED_FIELDS[text]}", mend="choose another name or set `field`"
        )
    return name(text)


def shown(text: str) -> str:
    """The text in backticks, on one line."""
    return f"`{visible(text)}`"


def visible(text: str) -> str:
    """The text with everything that cannot be seen escaped: no line ends, no control or direction characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
