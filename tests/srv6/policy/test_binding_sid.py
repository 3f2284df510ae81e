"""The binding SID of a policy: RFC 9256 section 6."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest

from srv6lab.srv6.policy.binding_sid import Binding, BoundBy, SidSpace, bind
from srv6lab.srv6.policy.identity import CandidateId, PolicyId
from srv6lab.srv6.policy.paths import CandidatePath, Explicit, Policy, SegmentList
from srv6lab.srv6.policy.segments import SidSegment
from srv6lab.srv6.policy.state import States, compute
from srv6lab.srv6.policy.view import View
from tests.srv6.policy.rulebook import ENDPOINT, HEADEND, SIDS, network

B1, B2, B3, B4 = (IPv6Address(f"fc00:1::b{n}") for n in range(1, 5))
BLOCK = IPv6Network("fc00:1::b0/124")
OUTSIDE = IPv6Address("fc00:1::d1")


def path(bsid: IPv6Address | None, by: str = "E", number: int = 0, preference: int = 100) -> CandidatePath:
    segments = SegmentList((SidSegment(IPv6Address(SIDS[by])),))
    return CandidatePath(Explicit((segments,)), CandidateId(discriminator=number), preference, bsid)


def policy(color: int, *paths: CandidatePath, only: bool = False, priority: int | None = None) -> Policy:
    id = PolicyId(HEADEND, color, IPv6Address(ENDPOINT))
    return Policy(id, paths, specified_bsid_only=only, priority=priority)


def states(*policies: Policy, space: SidSpace = SidSpace({}), before: States | None = None) -> States:  # noqa: B008
    installed = {id: state.installed for id, state in (before or {}).items()}
    return compute(policies, View("h", network({}, [])), space, installed)


def binding(found: States, color: int) -> Binding:
    return next(state.binding for id, state in found.items() if id.color == color)


@pytest.mark.parametrize(
    ("specified", "space", "before", "expected"),
    [
        (B1, SidSpace({}), None, Binding(B1, BoundBy.SPECIFIED)),
        (B1, SidSpace({}), B2, Binding(B1, BoundBy.SPECIFIED)),
        (B1, SidSpace({B2: "End"}), B2, Binding(B1, BoundBy.SPECIFIED)),
        (B1, SidSpace({}, BLOCK), None, Binding(B1, BoundBy.SPECIFIED)),
        (None, SidSpace({}), B2, Binding(B2, BoundBy.KEPT)),
        (None, SidSpace({}, pool=(B3,)), B2, Binding(B2, BoundBy.KEPT)),
        (None, SidSpace({}), None, Binding(None, BoundBy.NONE)),
        (None, SidSpace({}, pool=(B3, B4)), None, Binding(B3, BoundBy.DYNAMIC)),
        (None, SidSpace({B3: "End"}, pool=(B3, B4)), None, Binding(B4, BoundBy.DYNAMIC)),
        (None, SidSpace({}, BLOCK, (B3, OUTSIDE)), None, Binding(OUTSIDE, BoundBy.DYNAMIC)),
        (None, SidSpace({}, BLOCK, (B3,)), None, Binding(None, BoundBy.NONE)),
        (None, SidSpace({B2: "End"}, pool=(B3,)), B2, Binding(B3, BoundBy.DYNAMIC)),
    ],
)
def test_the_binding_sid(
    specified: IPv6Address | None, space: SidSpace, before: IPv6Address | None, expected: Binding
) -> None:
    assert bind(path(specified), space, before) == expected


@pytest.mark.parametrize(
    ("space", "before", "sid", "rule", "why"),
    [
        (SidSpace({B1: "End"}), B2, B2, BoundBy.KEPT, "in use: End"),
        (SidSpace({B1: "End"}, pool=(B1, B3)), None, B3, BoundBy.DYNAMIC, "in use: End"),
        (SidSpace({B1: "End"}), None, None, BoundBy.NONE, "in use: End"),
        (
            SidSpace({}, IPv6Network("fc00:9::/64")),
            None,
            None,
            BoundBy.NONE,
            "outside of the local block fc00:9::/64",
        ),
    ],
)
def test_a_specified_sid_that_is_not_available_alerts(
    space: SidSpace, before: IPv6Address | None, sid: IPv6Address | None, rule: BoundBy, why: str
) -> None:
    found = bind(path(B1), space, before)
    assert (found.sid, found.chosen_by, len(found.alerts)) == (sid, rule, 1)
    assert why in found.alerts[0] and str(B1) in found.alerts[0]


def test_the_policy_has_that_of_its_active_path() -> None:
    paths = (path(B1, number=1, preference=200), path(B2, number=2))
    first = states(policy(10, *paths))
    assert binding(first, 10).sid == B1
    second = states(policy(10, replace(paths[0], preference=50), paths[1]), before=first)
    assert binding(second, 10) == Binding(B2, BoundBy.SPECIFIED)


def test_a_dynamic_one_is_kept_across_changes_and_while_the_policy_is_invalid() -> None:
    space = SidSpace({}, pool=(B3, B4))
    here = policy(10, path(None, number=1, preference=200), path(None, "M", number=2))
    first = states(here, space=space)
    assert binding(first, 10) == Binding(B3, BoundBy.DYNAMIC)
    other = policy(10, path(None, "R", number=1, preference=200), path(None, "M", number=2))
    second = states(other, space=space, before=first)
    assert binding(second, 10) == Binding(B3, BoundBy.KEPT)
    none = policy(10, path(None, "R", number=1))
    third = states(none, space=space, before=second)
    assert (third[none.id].valid, binding(third, 10).sid) == (False, B3)
    assert binding(states(here, space=space, before=third), 10) == Binding(B3, BoundBy.KEPT)


def test_a_policy_that_was_never_valid_has_none() -> None:
    assert binding(states(policy(10, path(B1, "R"))), 10) == Binding(None, BoundBy.NONE)


def test_no_two_policies_are_given_one() -> None:
    space = SidSpace({}, pool=(B3, B4))
    found = states(policy(10, path(None)), policy(20, path(None)), space=space)
    assert {binding(found, 10).sid, binding(found, 20).sid} == {B3, B4}


def test_the_first_by_priority_has_a_sid_that_two_specify() -> None:
    found = states(policy(10, path(B1)), policy(20, path(B1), priority=1))
    assert binding(found, 20) == Binding(B1, BoundBy.SPECIFIED)
    assert (
        binding(found, 10).sid is None and "in use: policy <fc00:1::1, 20, " in binding(found, 10).alerts[0]
    )


def test_one_that_another_policy_has_is_not_available_even_to_a_better_priority() -> None:
    low = policy(10, path(B1))
    first = states(low)
    found = states(low, policy(20, path(B1), priority=0), before=first)
    assert (binding(found, 10).sid, binding(found, 20).sid) == (B1, None)


def test_one_that_a_policy_had_that_is_gone_is_free_again() -> None:
    first = states(policy(10, path(B1)))
    assert binding(states(policy(20, path(B1)), before=first), 20).sid == B1


@pytest.mark.parametrize("bsid", [None, B1])
def test_specified_only_takes_no_other_and_tries_the_next_path(bsid: IPv6Address | None) -> None:
    space = SidSpace({B1: "End"}, pool=(B3,))
    paths = (path(bsid, number=1, preference=300), path(B2, number=2, preference=200), path(None, number=3))
    strict = policy(10, *paths, only=True)
    state = states(strict, space=space)[strict.id]
    assert (state.election.active, state.binding.sid) == (paths[1], B2)
    assert len(state.binding.alerts) == 1 and str(paths[0]) in state.binding.alerts[0]
    assert [fault.rule.name for fault in state.candidates[0].faults] == ["BINDING_SID"]
    # The third isn't asked, since the second does.
    assert state.candidates[2].valid
    loose = policy(10, *paths)
    assert states(loose, space=space)[loose.id].election.active == paths[0]


def test_specified_only_without_any_is_an_invalid_policy_with_an_alert_for_each() -> None:
    strict = policy(10, path(None, number=1), path(B1, number=2), only=True)
    state = states(strict, space=SidSpace({B1: "End"}, pool=(B3,)))[strict.id]
    assert (state.valid, state.binding.sid, len(state.binding.alerts)) == (False, None, 2)
