"""Foreign text can be shown to anybody."""

from __future__ import annotations

from devices.foreign import printable, shown


def test_shown() -> None:
    """Quoted, escaped, cut; bytes that are no text too."""
    assert shown("feed") == '"feed"'
    assert shown("\x1b[2Jé\u202e") == '"\\x1b[2Jé\\u202e"'
    assert shown("x" * 100) == '"' + "x" * 60 + '…"'
    assert shown(b"a\xff\n") == '"a\\xff\\n"'
    assert printable("<b>") == "<b>"  # escaping for HTML is the page's work
