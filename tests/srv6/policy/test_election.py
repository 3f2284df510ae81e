"""The active path against a plain reading of RFC 9256 section 2.9: two paths at a time, over all pairs."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, settings
from hypothesis import strategies as st

from srv6lab.srv6.policy.election import ChosenBy, elect
from srv6lab.srv6.policy.identity import CandidateId, Originator
from srv6lab.srv6.policy.paths import CandidatePath, Explicit

ORDER = list(ChosenBy)
NODES = (
    IPv4Address("0.0.0.0"),
    IPv4Address("192.0.2.1"),
    IPv4Address("255.255.255.255"),
    IPv6Address("2001:db8::"),
)
# Few values each, so that ties are common at every rule.
IDS = st.builds(
    CandidateId,
    st.sampled_from((0, 10, 20, 30, 255)),
    st.builds(Originator.of, st.sampled_from((0, 1, 2**32 - 1)), st.sampled_from(NODES)),
    st.sampled_from((0, 1, 2**32 - 1)),
)
PATHS = st.lists(
    st.builds(
        CandidatePath, st.just(Explicit(())), IDS, preference=st.sampled_from((0, 100, 101, 2**32 - 1))
    ),
    unique_by=lambda one: one.id,
    max_size=8,
)


def beats(one: CandidatePath, other: CandidatePath, installed: CandidateId | None) -> ChosenBy | None:
    """The first rule that tells two paths apart, if it is for `one`."""
    a, b = one.id, other.id
    for rule, better, worse in (
        (ChosenBy.PREFERENCE, one.preference > other.preference, one.preference < other.preference),
        (
            ChosenBy.PROTOCOL_ORIGIN,
            a.protocol_origin > b.protocol_origin,
            a.protocol_origin < b.protocol_origin,
        ),
        (ChosenBy.INSTALLED, a == installed, b == installed),
        (ChosenBy.ORIGINATOR, bits(a) < bits(b), bits(a) > bits(b)),
        (ChosenBy.DISCRIMINATOR, a.discriminator > b.discriminator, a.discriminator < b.discriminator),
    ):
        if better or worse:
            return rule if better else None
    raise AssertionError("two paths with one identity")


def bits(one: CandidateId) -> str:
    """The 160 bits of an originator, written out: 4 bytes of the ASN, 16 of the node's address."""
    node = one.originator.node.packed.rjust(16, b"\0")
    return (one.originator.asn.to_bytes(4, "big") + node).hex()


@settings(max_examples=200)
@given(PATHS, st.data())
def test_the_active_path_beats_every_other(valid: list[CandidatePath], data: st.DataObject) -> None:
    kept = data.draw(st.none() | IDS | st.sampled_from([one.id for one in valid] or [None]))
    found = elect(valid, kept)
    winners = [one for one in valid if all(beats(one, other, kept) for other in valid if other is not one)]
    assert [found.active] == (winners or [None])
    rules = {other: beats(winners[0], other, kept) for one in winners for other in valid if other is not one}
    assert dict(found.left_out) == rules
    last = max((rule for rule in rules.values() if rule), key=ORDER.index, default=ChosenBy.ONLY)
    assert found.chosen_by is (last if valid else ChosenBy.NONE)


@given(PATHS, st.none() | IDS, st.randoms(use_true_random=False))
def test_the_order_in_which_paths_come_is_nothing(
    valid: list[CandidatePath], kept: CandidateId | None, shuffle: random.Random
) -> None:
    found = elect(valid, kept)
    other = list(valid)
    shuffle.shuffle(other)
    again = elect(other, kept)
    assert (again.active, again.chosen_by) == (found.active, found.chosen_by)
    assert dict(again.left_out) == dict(found.left_out)


@given(PATHS)
def test_what_is_kept_stays_until_something_better_by_the_first_two_rules(valid: list[CandidatePath]) -> None:
    first = elect(valid)
    if first.active:
        assert elect(valid, first.active.id).active == first.active
