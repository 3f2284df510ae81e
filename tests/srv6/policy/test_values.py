"""Policies and candidate paths: what they may hold, what is refused, and the order of priority."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srv6lab.srv6.policy.identity import CandidateId, Originator, PolicyId, ProtocolOrigin
from srv6lab.srv6.policy.paths import (
    CandidatePath,
    Composite,
    Constituent,
    Explicit,
    Policy,
    SegmentList,
    in_order_of_priority,
)
from srv6lab.srv6.policy.sr_db import Link
from tests.srv6.policy.rulebook import HEADEND

NOWHERE = Explicit(())


def policy(color: int = 10, *candidates: CandidatePath, **settings: Any) -> Policy:
    return Policy(
        PolicyId(HEADEND, color, IPv6Address("fc00:4::1")),
        candidates or (CandidatePath(NOWHERE),),
        **settings,
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: PolicyId(HEADEND, 0, HEADEND), "a color is from 1 to 4294967295, and this is 0"),
        (
            lambda: PolicyId(HEADEND, 2**32, HEADEND),
            "a color is from 1 to 4294967295, and this is 4294967296",
        ),
        (lambda: Originator.of(2**32, HEADEND), "an ASN is from 0 to 4294967295, and this is 4294967296"),
        (lambda: Originator(2**160), f"an originator is from 0 to {2**160 - 1}, and this is {2**160}"),
        (lambda: CandidateId(256), "a protocol origin is from 0 to 255, and this is 256"),
        (lambda: CandidateId(discriminator=2**32), "a discriminator is from 0 to 4294967295"),
        (
            lambda: CandidatePath(NOWHERE, preference=-1),
            "a preference is from 0 to 4294967295, and this is -1",
        ),
        (lambda: CandidatePath(NOWHERE, priority=256), "a priority is from 0 to 255, and this is 256"),
        (lambda: CandidatePath(NOWHERE, name="tab\t"), "printable ASCII characters, and this is 'tab\\\\t'"),
        (lambda: policy(name="é"), "the name of a policy is made of printable ASCII"),
        (lambda: policy(priority=256), "a priority is from 0 to 255, and this is 256"),
        (lambda: SegmentList((), 2**32), "a weight is from 0 to 4294967295"),
        (lambda: Constituent(0), "a color is from 1"),
        (lambda: Constituent(1, 0), "a weight is from 1 to 4294967295, and this is 0"),
        (lambda: Composite((Constituent(1), Constituent(1, 2))), "two constituents have the color 1"),
        (lambda: Policy(PolicyId(HEADEND, 1, HEADEND), ()), "has no candidate path"),
        (
            lambda: policy(
                1, CandidatePath(NOWHERE, name="a"), CandidatePath(NOWHERE, name="b", preference=7)
            ),
            "two candidate paths have the identity <30, 0:0.0.0.0, 0>",
        ),
        (lambda: policy(7, CandidatePath(Composite((Constituent(7),)))), "has its color 7"),
        (
            lambda: Link("a", "b", HEADEND, HEADEND, igp_metric=0),
            "an IGP metric is from 1 to 16777215, and this is 0",
        ),
        (lambda: Link("a", "b", HEADEND, HEADEND, te_metric=2**24), "a TE metric is from 1 to 16777215"),
        (lambda: Link("a", "b", HEADEND, HEADEND, delay=0), "a delay is from 1 to 16777215, and this is 0"),
    ],
)
def test_what_can_not_be_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says).replace(r"\\\\", r"\\")):
        make()


def test_names_are_no_identity() -> None:
    assert CandidatePath(NOWHERE, name="one").id == CandidatePath(NOWHERE, name="other").id
    assert policy(name="one").id == policy(name="other").id


def test_every_printable_character_is_one_of_a_name() -> None:
    text = "".join(map(chr, range(0x20, 0x7F)))
    assert CandidatePath(NOWHERE, name=text).name == text


def test_the_defaults_are_those_of_the_rfc() -> None:
    assert [one.value for one in ProtocolOrigin] == [10, 20, 30]
    path = CandidatePath(NOWHERE)
    assert (path.preference, policy().effective_priority, SegmentList(()).weight) == (100, 128, 1)
    assert (path.id.protocol_origin, path.id.originator.value, path.id.discriminator) == (30, 0, 0)


@given(st.integers(0, 2**32 - 1), st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_an_originator_is_its_160_bits(asn: int, node: IPv4Address | IPv6Address) -> None:
    found = Originator.of(asn, node)
    assert found.value == int.from_bytes(asn.to_bytes(4, "big") + node.packed.rjust(16, b"\0"), "big")
    assert (found.asn, int(found.node)) == (asn, int(node))


def test_ipv4_and_ipv6_of_one_value_are_one_originator() -> None:
    assert Originator.of(1, ip_address("0.0.0.9")) == Originator.of(1, ip_address("::9"))
    assert str(Originator.of(100, ip_address("192.0.2.1"))) == "100:192.0.2.1"


@pytest.mark.parametrize(
    ("configured", "signaled", "effective"),
    [
        (None, [None], 128),
        (None, [None, 7], 7),
        (None, [9, 7, 200], 7),
        (None, [200, None], 200),
        (None, [200, 128], 200),
        (None, [0], 0),
        (50, [7], 50),
        (128, [7], 128),
    ],
)
def test_the_priority_of_a_policy(configured: int | None, signaled: list[int | None], effective: int) -> None:
    paths = (
        CandidatePath(NOWHERE, CandidateId(discriminator=n), priority=one) for n, one in enumerate(signaled)
    )
    assert policy(10, *paths, priority=configured).effective_priority == effective


def test_policies_are_computed_in_the_order_of_their_priorities() -> None:
    given = [policy(1), policy(2, priority=255), policy(3, priority=0), policy(4), policy(5, priority=127)]
    assert [one.id.color for one in in_order_of_priority(given)] == [3, 5, 1, 4, 2]
