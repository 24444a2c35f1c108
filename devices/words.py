"""Did you mean: the nearest known word to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean `rise_max`?`, or "" where nothing is near. Case is forgiven first."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = folded.get(word.casefold()) or next(iter(get_close_matches(word, names, n=1, cutoff=0.6)), None)
    return f"did you mean `{near}`?" if near else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """The first few names of many, for a sentence: `a, b, c and 12 more`."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(f"`{name}`" for name in ordered[:most]) + more
