"""Steering: RFC 9256 section 8, by destination and by flow."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from srv6lab.srv6.policy.binding_sid import SidSpace
from srv6lab.srv6.policy.identity import PolicyId
from srv6lab.srv6.policy.paths import CandidatePath, Explicit, Policy, SegmentList
from srv6lab.srv6.policy.segments import SidSegment
from srv6lab.srv6.policy.state import Action, States, compute
from srv6lab.srv6.policy.steering import Color, ColorOnly, PerFlow, per_destination, per_flow
from srv6lab.srv6.policy.view import View
from tests.srv6.policy.rulebook import HEADEND, SIDS, network

VALID, INVALID, DROPPING = "valid", "invalid", "dropping"
HOP = IPv6Address("fc00:4::1")


def known(*policies: tuple[int, str, str]) -> States:
    """Policies by color, endpoint, and what has become of them."""
    made = [
        Policy(
            PolicyId(HEADEND, color, ip_address(endpoint)),
            (
                CandidatePath(
                    Explicit((SegmentList((SidSegment(IPv6Address(SIDS["M" if how == VALID else "R"])),)),))
                ),
            ),
            drop_upon_invalid=how == DROPPING,
        )
        for color, endpoint, how in policies
    ]
    return compute(made, View("h", network({}, [])), SidSpace({}))


E1, E4, NULL6, NULL4, OTHER6, OTHER4 = "fc00:4::1", "192.0.2.4", "::", "0.0.0.0", "fc00:3::1", "192.0.2.3"
ONE, TWO, THREE = ColorOnly.ENDPOINT, ColorOnly.NULL_ENDPOINT, ColorOnly.ANY_ENDPOINT


@pytest.mark.parametrize(
    ("colors", "policies", "expected", "rule"),
    [
        ([Color(10)], [(10, E1, VALID)], (10, E1), "color 10, its endpoint"),
        ([Color(10)], [(20, E1, VALID)], None, "no color has a policy that is valid"),
        ([Color(10)], [(10, OTHER6, VALID)], None, "no color has a policy that is valid"),
        ([], [(10, E1, VALID)], None, "no color has a policy that is valid"),
        ([Color(10)], [(10, E1, INVALID)], None, "no color has a policy that is valid"),
        ([Color(10)], [(10, E1, DROPPING)], (10, E1), "color 10, its endpoint"),
        # The highest color, and the next when it fails.
        ([Color(10), Color(20)], [(10, E1, VALID), (20, E1, VALID)], (20, E1), "color 20, its endpoint"),
        ([Color(20), Color(10)], [(10, E1, VALID), (20, E1, INVALID)], (10, E1), "color 10, its endpoint"),
        ([Color(20), Color(10)], [(10, E1, VALID), (20, E1, DROPPING)], (20, E1), "color 20, its endpoint"),
        # How far the CO flags let look.
        ([Color(10)], [(10, NULL6, VALID)], None, "no color has a policy that is valid"),
        ([Color(10, TWO)], [(10, NULL6, VALID)], (10, NULL6), "color 10, the null endpoint of its family"),
        ([Color(10, TWO)], [(10, NULL4, VALID)], (10, NULL4), "color 10, a null endpoint"),
        (
            [Color(10, TWO)],
            [(10, NULL4, VALID), (10, NULL6, VALID)],
            (10, NULL6),
            "color 10, the null endpoint of its family",
        ),
        ([Color(10, TWO)], [(10, NULL6, VALID), (10, E1, VALID)], (10, E1), "color 10, its endpoint"),
        ([Color(10, TWO)], [(10, OTHER6, VALID)], None, "no color has a policy that is valid"),
        ([Color(10, THREE)], [(10, OTHER6, VALID)], (10, OTHER6), "color 10, an endpoint of its family"),
        ([Color(10, THREE)], [(10, OTHER4, VALID)], (10, OTHER4), "color 10, any endpoint"),
        (
            [Color(10, THREE)],
            [(10, OTHER4, VALID), (10, OTHER6, VALID)],
            (10, OTHER6),
            "color 10, an endpoint of its family",
        ),
        (
            [Color(10, THREE)],
            [(10, OTHER6, VALID), (10, NULL4, VALID)],
            (10, NULL4),
            "color 10, a null endpoint",
        ),
        # A color goes before a flag (section 8.8.2).
        (
            [Color(10, TWO), Color(20, TWO)],
            [(10, E1, VALID), (20, NULL6, VALID)],
            (20, NULL6),
            "color 20, the null endpoint of its family",
        ),
        (
            [Color(10, TWO), Color(20, TWO)],
            [(10, NULL6, VALID), (20, NULL6, INVALID)],
            (10, NULL6),
            "color 10, the null endpoint of its family",
        ),
    ],
)
def test_a_destination(
    colors: list[Color], policies: list[tuple[int, str, str]], expected: tuple[int, str] | None, rule: str
) -> None:
    found = per_destination(HOP, colors, known(*policies))
    got = (found.policy.color, str(found.policy.endpoint)) if found.policy else None
    assert (got, found.chosen_by) == (expected, rule)


def test_a_destination_of_ipv4_has_its_own_null_endpoint() -> None:
    both = known((10, NULL4, VALID), (10, NULL6, VALID))
    found = per_destination(IPv4Address(E4), [Color(10, TWO)], both)
    assert found.policy and found.policy.endpoint == IPv4Address(0)


def test_the_reserved_flags_are_read_as_none() -> None:
    assert [ColorOnly.of(flags) for flags in range(4)] == [ONE, TWO, THREE, ONE]


@pytest.mark.parametrize(
    ("array", "policies", "expected", "bypassed"),
    [
        ({1: 10, 2: 20}, {10: VALID, 20: VALID}, [None, 10, 20, None, None, None, None, None], False),
        ({1: 10, 2: 20}, {10: INVALID, 20: VALID}, [None, None, 20, None, None, None, None, None], False),
        ({1: 10, 2: 20}, {10: INVALID, 20: INVALID}, [None] * 8, True),
        ({1: 10}, {10: DROPPING}, [None, 10, None, None, None, None, None, None], False),
        ({}, {10: VALID}, [None] * 8, True),
        ({0: 10, 7: 20}, {10: VALID, 20: VALID}, [10, 10, 10, 10, 10, 10, 10, 20], False),
        ({0: 10, 7: 20}, {10: VALID, 20: INVALID}, [10] * 8, True),
        ({0: 10, 7: 20}, {10: INVALID, 20: VALID}, [None] * 7 + [20], False),
        ({3: 30}, {10: VALID}, [None] * 8, True),
    ],
)
def test_flows_by_forwarding_class(
    array: dict[int, int], policies: dict[int, str], expected: list[int | None], bypassed: bool
) -> None:
    def id(color: int) -> PolicyId:
        return PolicyId(HEADEND, color, HOP)

    states = known(*((color, E1, how) for color, how in policies.items()))
    found = per_flow({number: id(color) for number, color in array.items()}, states)
    assert found == PerFlow(tuple(id(one) if one else None for one in expected), bypassed)


@pytest.mark.parametrize("number", [-1, 8])
def test_there_are_eight_forwarding_classes(number: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 7"):
        per_flow({number: PolicyId(HEADEND, 10, HOP)}, known())


def test_what_becomes_of_traffic() -> None:
    states = known((10, E1, VALID), (20, E1, INVALID), (30, E1, DROPPING))
    assert [state.action for state in states.values()] == [Action.STEER, Action.FORWARD, Action.DROP]
