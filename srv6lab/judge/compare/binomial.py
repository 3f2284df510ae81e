"""Whether a count of flows is likely by a share: the exact binomial test, of both sides."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import exp, fsum, lgamma, log

ALPHA = 1e-4  # how often what is right is called wrong


def likely(count: int, whole: int, share: Fraction) -> bool:
    """Whether `count` of `whole` flows is no surprise where each takes its way with the probability `share`."""
    if share <= 0 or share >= 1:
        return count == (whole if share >= 1 else 0)
    return 0 <= count <= whole and surprise(count, whole, share) >= ALPHA


@lru_cache(maxsize=1024)
def surprise(count: int, whole: int, share: Fraction) -> float:
    """How probable a count is that is as far off, on either side."""
    below = fsum(_probability(k, whole, share) for k in range(count + 1))
    above = fsum(_probability(k, whole, share) for k in range(count, whole + 1))
    return min(1.0, 2 * min(below, above))


def _probability(count: int, whole: int, share: Fraction) -> float:
    ways = lgamma(whole + 1) - lgamma(count + 1) - lgamma(whole - count + 1)
    return exp(ways + count * log(share) + (whole - count) * log(1 - share))
