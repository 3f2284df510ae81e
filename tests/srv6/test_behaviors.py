"""Behaviors do what RFC 8986's pseudo-code says: the cases of `cases/*.yml`."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from srv6lab.srv6.acting import act, give_back
from srv6lab.srv6.behaviors import BEHAVIORS, NEEDS, REGISTRY, Behavior
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.flavors import flavored
from srv6lab.srv6.headend import HEADENDS
from srv6lab.srv6.packet import Ethernet, Ipv4, Packet
from srv6lab.srv6.results import LocalSid
from tests.srv6.casefiles import Case, cases
from tests.srv6.vectors import SOURCE, A, B

ALL = list(cases())
MODELED = [one for one in REGISTRY.values() if one.model]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_behavior_does_what_its_pseudo_code_says(case: Case) -> None:
    assert case.said() == case.expected


def test_no_case_stands_twice() -> None:
    assert len({case.name for case in ALL}) == len(ALL)


@pytest.mark.parametrize("behavior", MODELED, ids=lambda one: one.name)
def test_every_modeled_behavior_has_cases(behavior: Behavior) -> None:
    assert sum(case.behavior == behavior.name for case in ALL) >= 3


@pytest.mark.parametrize("behavior", [one for one in MODELED if one.parameters], ids=lambda one: one.name)
def test_a_parameter_that_is_missing_is_named(behavior: Behavior) -> None:
    one = next(case for case in ALL if case.behavior == behavior.name)
    with pytest.raises(ValueError, match=behavior.parameters[0]):
        act(behavior)(Packet(()), LocalSid())
    assert set(behavior.parameters) <= set(one.parameters)


@pytest.mark.parametrize(
    "behavior", [one for one in MODELED if "service" in one.parameters], ids=lambda one: one.name
)
def test_every_proxy_has_cases_of_what_comes_back(behavior: Behavior) -> None:
    assert any(case.behavior == behavior.name and case.is_back for case in ALL)


@pytest.mark.parametrize("name", ["End", "End.X", "End.T", "End.B6.Encaps", "End.B6.Encaps.Red"])
def test_every_combination_of_flavors_has_cases(name: str) -> None:
    seen = {case.flavors for case in ALL if case.behavior == name}
    assert {frozenset(one.flavors) for one in flavored(name)} <= seen


def test_what_labs_use_is_part_of_the_registry() -> None:
    assert BEHAVIORS.items() <= REGISTRY.items()
    assert set(BEHAVIORS) == {
        "End",
        "End.AS4",
        "End.AS6",
        "End.X",
        "End.T",
        "End.DX6",
        "End.DX4",
        "End.DT6",
        "End.DT4",
        "End.DT46",
        "End.DX2",
        "End.B6.Encaps",
        "End.AD4",
        "End.AD6",
        "End.AM",
    }


@pytest.mark.parametrize("behavior", REGISTRY.values(), ids=lambda one: one.name)
def test_what_a_kernel_needs_has_words(behavior: Behavior) -> None:
    assert set(behavior.needs) <= NEEDS.keys()
    assert bool(behavior.needs) == (behavior.kernel_since is not None or behavior.in_labs)


@pytest.mark.parametrize(
    "behavior", [one for one in MODELED if "service" in one.parameters], ids=lambda one: one.name
)
def test_a_service_gives_back_what_it_was_given(behavior: Behavior) -> None:
    wrong = Packet(
        (Ethernet(bytes(6), bytes(6)) if behavior.name[-1] != "2" else Ipv4(IPv4Address(1), IPv4Address(2)),)
    )
    with pytest.raises(TypeError):
        give_back(behavior)(wrong, LocalSid(policy=Encapsulation(SOURCE, (A, B))), None)


@pytest.mark.parametrize("name", HEADENDS)
def test_every_headend_has_cases(name: str) -> None:
    assert sum(case.behavior == name for case in ALL) >= 3


@pytest.mark.parametrize("name", HEADENDS)
def test_a_headend_takes_packets_or_frames(name: str) -> None:
    first = Ipv4(IPv4Address(1), IPv4Address(2)) if ".L2" in name else Ethernet(bytes(6), bytes(6))
    with pytest.raises(TypeError):
        HEADENDS[name](Packet((first,)), Encapsulation(SOURCE, (A, B)))


def test_an_endpoint_takes_ipv6() -> None:
    with pytest.raises(TypeError):
        act(REGISTRY["End.DX4"])(
            Packet((Ipv4(IPv4Address(1), IPv4Address(2)),)), LocalSid(nh4=IPv4Address(1))
        )
