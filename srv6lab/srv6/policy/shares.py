"""How flows are shared among segment lists (RFC 9256 section 2.11): exactly, and as Linux can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

LINUX_MOST = 256  # the weight of a next hop is from 1 to this (ip-route(8))


def shares(weights: Sequence[int]) -> tuple[Fraction, ...]:
    """w/Sw of each weight; their sum isn't 0."""
    whole = sum(weights)
    return tuple(Fraction(weight, whole) for weight in weights)


@dataclass(frozen=True)
class LinuxWeights:
    """Weights of next hops, and by how much the share of any is off at most."""

    weights: tuple[int, ...]
    error: Fraction


def linux_weights(wanted: Sequence[Fraction]) -> LinuxWeights:
    """Of the multiples of some shares, each rounded to a weight of at least 1, those with the least error;
    of several, the smallest. At most 256 next hops, each with a share above 0."""
    if not 0 < len(wanted) <= LINUX_MOST or min(wanted) <= 0:
        raise ValueError(f"from 1 to {LINUX_MOST} shares are needed, each above 0")
    largest = max(wanted)
    tries = (_rounded(wanted, most / largest) for most in range(1, LINUX_MOST + 1))
    return min(tries, key=lambda found: found.error)


def _rounded(wanted: Sequence[Fraction], factor: Fraction) -> LinuxWeights:
    weights = tuple(max(1, round(share * factor)) for share in wanted)
    return LinuxWeights(weights, max(abs(got - share) for got, share in zip(shares(weights), wanted)))
