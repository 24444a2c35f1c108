"""Linear forms of exact totals, each as the one double nearest to it, or the admission that this is not certain.

The sums are exact integers; they leave them as a pair of doubles (106 bits), times a ratio held the same way. What
that loses is below a known bound; where the bound does not settle which double is nearest (Ziv's test), the caller
asks the exact path. Adding and multiplying pairs: T. J. Dekker, "A floating-point technique for extending the
available precision", Numerische Mathematik 18 (1971).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.readings import I64
from scoring.degrees.linear import F64, LENGTH, RATIOS
from scoring.windows.exact import MASK
from scoring.windows.kernel import HIGH, LOW, kernel

_SPLIT = 134_217_729.0  # 2**27 + 1
_BOUND = 2.0**-98
"""Of the magnitudes added up: the pair's own roundings are below 2**-100 of them."""
_WIDE = 1 << 31
"""A total's high word from here on is left to the exact path."""


@kernel
def two_sum(a: float, b: float) -> tuple[float, float]:
    """A + b as its rounding and what that leaves, exactly."""
    s = a + b
    v = s - a
    return s, (a - (s - v)) + (b - v)


@kernel
def two_product(a: float, b: float) -> tuple[float, float]:
    """A · b as its rounding and what that leaves, exactly (while nothing overflows)."""
    p = a * b
    t = _SPLIT * a
    a_high = t - (t - a)
    a_low = a - a_high
    t = _SPLIT * b
    b_high = t - (t - b)
    b_low = b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


@kernel
def evaluate(
    linear: Any,
    now: I64,
    running: I64,
    lengths: I64,
    plain: NDArray[np.bool_],
    ratios: F64,
    idle: NDArray[np.bool_],
    sure: NDArray[np.bool_],
) -> None:
    """Fill ratios[line, window, form] and idle[line, window]; `sure`: certainly the nearest doubles, and their signs.

    Only windows that are `plain`, without a change of factors inside, and lines that are compiled.
    """
    first_digit, first_term, weights = linear.first_digit, linear.first_term, linear.weight
    sources, coefficients, ratio_high, ratio_low = linear.source, linear.coefficient, linear.high, linear.low
    for line in range(len(linear.compiled)):
        first = linear.first_form[line]
        stop = linear.first_form[line + 1]
        for w in range(len(lengths)):
            good = linear.compiled[line] and plain[w]
            still = stop > first + RATIOS
            for form in range(first, stop if good else first):
                high = 0.0
                low = 0.0
                magnitude = 0.0
                for d in range(first_digit[form], first_digit[form + 1]):
                    above: Any = np.int64(0)
                    below: Any = np.int64(0)
                    for k in range(first_term[d], first_term[d + 1]):
                        source = sources[k]
                        if source >= 0:
                            word = now[source, w, HIGH]
                            rest = now[source, w, LOW]
                            good = good and -_WIDE < word < _WIDE
                        else:
                            time = lengths[w] if source == LENGTH else running[line, w]
                            word = time >> 32
                            rest = time & MASK
                        product = rest * coefficients[k]
                        above += word * coefficients[k] + (product >> 32)
                        below += product & MASK
                    above += below >> 32
                    # three doubles hold the integer without a rounding
                    weight = weights[d]
                    a, b = two_sum(float(above >> 32) * 2.0**64 * weight, float(above & MASK) * 2.0**32 * weight)
                    a, c = two_sum(a, float(below & MASK) * weight)
                    magnitude += abs(a)
                    high, a = two_sum(high, a)
                    low += a + (b + c)
                p = 0.0
                if magnitude > 0.0:
                    high, low = two_sum(high, low)
                    p, e = two_product(high, ratio_high[form])
                    p, e = two_sum(p, e + (high * ratio_low[form] + low * ratio_high[form]))
                    error = magnitude * ratio_high[form] * _BOUND
                    good = good and p + (e + error) == p and p + (e - error) == p
                if form < first + RATIOS:
                    ratios[line, w, form - first] = p
                else:
                    still = still and (p < 0.0 or (p == 0.0 and linear.zero_idle[line]))
            idle[line, w] = still
            sure[line, w] = good
