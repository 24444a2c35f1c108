"""Integer arithmetic that never wraps: shares of an amount, products as two columns."""

from __future__ import annotations

from typing import Any

from scoring.windows.kernel import HIGH, LOW, inner, kernel

MASK = 0xFFFFFFFF
_SAFE = 3_037_000_499  # below its square lies 2**63


@kernel
def mul_div(r: int, x: int, d: int) -> int:
    """⌊r · x / d⌋ for 0 <= r < d, 0 <= x, all below 2**62; exact although r · x may pass 2**63."""
    if d < _SAFE and x < _SAFE:
        return r * x // d
    bits = 0
    while x >> bits:
        bits += 1
    quotient = 0
    rest = 0
    for bit in range(bits - 1, -1, -1):  # by hand, one binary digit of x at a time
        quotient *= 2
        rest *= 2
        if rest >= d:
            rest -= d
            quotient += 1
        if (x >> bit) & 1:
            rest += r
            if rest >= d:
                rest -= d
                quotient += 1
    return quotient


@kernel
def share(amount: int, x: int, d: int) -> int:
    """⌊amount · x / d⌋ for 0 <= x <= d: the part of an amount that lies in the first x of its d milliseconds."""
    whole = amount // d
    return whole * x + mul_div(amount - whole * d, x, d)


@kernel
def within(rise: int, rise_num: int, rise_den: int, dt: int) -> bool:
    """Whether a rise in `dt` ms is at most rise_num / rise_den steps per ms (rise_num < 0: no bound)."""
    if rise_num < 0:
        return True
    whole = rise_num // rise_den
    if whole > (1 << 62) // dt:
        return True
    return rise <= whole * dt + mul_div(rise_num - whole * rise_den, dt, rise_den)


@inner
def common(a: int, b: int) -> int:
    """The greatest common divisor of two numbers, neither below 0."""
    while b:
        a, b = b, a % b
    return a


@inner
def add(acc: Any, amount: int) -> None:
    """Add an amount to the total in acc[HIGH], acc[LOW]."""
    acc[HIGH] += amount >> 32
    acc[LOW] += amount & MASK


@inner
def add_product(acc: Any, value: int, dt: int) -> None:
    """Add value · dt (steps × ms) to the total in acc[HIGH], acc[LOW]; dt >= 0."""
    while dt > 0:
        part = min(dt, 1 << 30)
        low = (value & MASK) * part  # below 2**62
        acc[HIGH] += (value >> 32) * part + (low >> 32)
        acc[LOW] += low & MASK
        dt -= part


@inner
def clear(acc: Any) -> None:
    """Nothing yet."""
    for k in range(len(acc)):
        acc[k] = 0


@inner
def carry(acc: Any) -> None:
    """Bring acc[LOW] back into [0, 2**32): one way to write each total."""
    acc[HIGH] += acc[LOW] >> 32
    acc[LOW] &= MASK


@kernel
def nearest(high: int, low: int) -> float:
    """The double nearest to high · 2**32 + low, ties to even: one rounding, as `float` of a Python integer."""
    high += low >> 32
    low &= MASK
    if -(1 << 31) <= high < 1 << 31:
        return float((high << 32) + low)
    shift = 1
    while not -(1 << 31) <= high >> shift < 1 << 31:  # until 63 bits and the sign are left
        shift += 1
    kept = ((high >> shift) << 32) + (((high & ((1 << shift) - 1)) << (32 - shift)) | (low >> shift))
    if low & ((1 << shift) - 1):
        kept |= 1  # round to odd: what is cut off shows in a bit below the rounding, so the next one is right
    return float(kept) * 2.0**shift
