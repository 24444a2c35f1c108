"""Decimal text to an integer count of a step: exact, half to even, never through a float.

quantise("0.0625", Fraction(1, 1000)) == 62      # 62.5 steps: half goes to the even neighbour
quantise("5e-324", step) == 0, quantise("1e308", step) is None: exponents are capped before any
integer is built, so the cost is bounded by the length of the text and not by what it means.
"""

from __future__ import annotations

import re
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

LONGEST = 400
"""Characters a number may have. The shortest text of any double has at most 24."""

INT64_MAX = 2**63 - 1

_NUMBER = re.compile(r"([+-]?)(?=\d|\.\d)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?", re.ASCII)
_DIGITS = 19  # of INT64_MAX


def quantise(text: bytes | str, step: Fraction) -> int | None:
    """The count of `step`s nearest to a decimal text, or None where it does not fit a signed 64-bit integer.

    Raises ValueError if the text is not a decimal number of at most `LONGEST` characters.
    """
    return Quantum(step).count(text)


class Quantum:
    """A step, ready to count in: the same as `quantise` for many numbers."""

    __slots__ = ("denominator", "magnitude", "numerator", "places")

    def __init__(self, step: Fraction) -> None:
        if step <= 0:
            raise ValueError("a step is positive")
        self.numerator, self.denominator = step.numerator, step.denominator
        self.places = _places(step)  # step = 10^-places, or -1: not a decimal step of at most 18 places
        self.magnitude = len(str(step.denominator)) - len(str(step.numerator))  # log10(1 / step), within ±1

    def count(self, text: bytes | str) -> int | None:
        """The count of steps nearest to a decimal text, half to even; None beyond a signed 64-bit integer."""
        if isinstance(text, bytes):
            text = text.decode("latin-1")  # digits are ASCII; anything else fails the pattern below
        found = _NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        if found is None:
            raise ValueError("not a decimal number" if len(text) <= LONGEST else "too many digits")
        sign, whole, part, power = found.groups(default="")
        if not power and (spare := self.places - len(part)) >= 0 and len(whole) + self.places < _DIGITS:
            count = int(whole + part + "0" * spare)  # the common case: the text has no digit below the step
        else:
            digits = (whole + part).lstrip("0")
            exponent = (int(power) if power else 0) - len(part)
            if not digits or (size := len(digits) + exponent + self.magnitude) < -2:
                return 0  # below a tenth of a step
            if size > _DIGITS + 2:
                return None
            count = _half_even(
                int(digits) * self.denominator * 10 ** max(exponent, 0), self.numerator * 10 ** max(-exponent, 0)
            )
            if count > INT64_MAX + (sign == "-"):
                return None
        return -count if sign == "-" else count

    def count_many(self, texts: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Counts of many texts, and which of them are known; the rest are for `count`.

        Known are plain decimals (optional minus, digits, at most one point) of few enough digits for a
        decimal step: what meters write. Nothing is known for other steps.
        """
        n, width = len(texts), texts.dtype.itemsize
        if self.places < 0 or not width or not n:
            return np.zeros(n, np.int64), np.zeros(n, np.bool_)
        characters = np.ascontiguousarray(texts).view(np.uint8).reshape(n, width).T  # one row per column of text
        minus = characters[0] == ord("-")
        mantissa, digits = np.zeros(n, np.int64), np.zeros(n, np.int64)
        after, seen_point = np.zeros(n, np.int64), np.zeros(n, np.bool_)
        ended, known = np.zeros(n, np.bool_), np.ones(n, np.bool_)
        for k, column in enumerate(characters):
            digit = (column >= ord("0")) & (column <= ord("9"))
            point = column == ord(".")
            ended |= column == 0  # numpy pads with zero bytes
            ok = ended & (column == 0) | ~ended & (digit | point & ~seen_point | (minus & (k == 0)))
            known &= ok & (digits < _DIGITS - 1)
            mantissa = np.where(digit, mantissa * 10 + (column - ord("0")), mantissa)
            digits += digit
            after += digit & seen_point
            seen_point |= point
        spare = self.places - after
        known &= (digits > 0) & (digits + np.maximum(spare, 0) < _DIGITS)
        grown = mantissa * _POWERS[np.clip(spare, 0, _DIGITS - 1)]
        divisor = _POWERS[np.clip(-spare, 0, _DIGITS - 1)]
        quotient, rest = np.divmod(grown, divisor)
        twice = 2 * rest
        quotient += (twice > divisor) | ((twice == divisor) & (quotient & 1 == 1))
        return np.where(minus, -quotient, quotient), known


_POWERS = 10 ** np.arange(_DIGITS, dtype=np.int64)


def _half_even(numerator: int, denominator: int) -> int:
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + (twice > denominator or (twice == denominator and quotient & 1))


def _places(step: Fraction) -> int:
    for places in range(_DIGITS):
        if step * 10**places == 1:
            return places
    return -1
