"""Shares of flows, and the weights with which Linux comes close to them."""

from __future__ import annotations

from bisect import bisect
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srv6lab.srv6.policy.shares import linux_weights, shares

WEIGHTS = st.lists(st.integers(1, 2**32 - 1), min_size=1, max_size=6)


@given(WEIGHTS)
def test_shares_are_a_whole(weights: list[int]) -> None:
    found = shares(weights)
    assert sum(found) == 1
    assert all(one * weights[0] == found[0] * weight for one, weight in zip(found, weights, strict=True))


@given(st.lists(st.integers(1, 256), min_size=1, max_size=6), st.integers(1, 2**20))
def test_what_fits_is_exact_whatever_it_is_multiplied_with(weights: list[int], factor: int) -> None:
    found = linux_weights(shares([weight * factor for weight in weights]))
    assert found.error == 0
    assert shares(found.weights) == shares(weights)


@given(WEIGHTS)
def test_weights_are_within_the_kernels_and_the_error_is_what_they_are_off(weights: list[int]) -> None:
    wanted = shares(weights)
    found = linux_weights(wanted)
    assert all(1 <= one <= 256 for one in found.weights)
    assert found.error == max(abs(a - b) for a, b in zip(shares(found.weights), wanted, strict=True))


PAIRS = sorted({Fraction(a, a + b) for a, b in product(range(1, 257), repeat=2)})


@given(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_of_two_weights_none_come_closer(one: int, other: int) -> None:
    wanted = shares([one, other])
    place = bisect(PAIRS, wanted[0])
    best = min(abs(near - wanted[0]) for near in PAIRS[max(0, place - 1) : place + 1])
    assert linux_weights(wanted).error == best


def test_a_small_share_still_has_one_flow_in_some() -> None:
    found = linux_weights(shares([2**32 - 1, 1]))
    assert found.weights == (256, 1)
    assert found.error == Fraction(1, 257) - Fraction(1, 2**32)


@pytest.mark.parametrize("wanted", [[], [Fraction(1), Fraction(0)], [Fraction(1, 257)] * 257])
def test_what_has_no_weights_is_refused(wanted: list[Fraction]) -> None:
    with pytest.raises(ValueError, match="from 1 to 256 shares"):
        linux_weights(wanted)
