"""Routes that part a probe's flows: another one is a failure, the same one written otherwise is none."""

from __future__ import annotations

from fractions import Fraction

import pytest

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.verdict import RouteParts, Status
from srv6lab.judge.compare.binomial import ALPHA, _probability, surprise
from srv6lab.judge.shares import judge_routes
from srv6lab.predict import predict
from tests.fork import fork

_LIST = "encap seg6 mode encap segs 2 [ {} fc00:b::d4 ] {}dev {} weight {}"


def route(north: int, south: int, via: str = "") -> str:
    lists = [("fc00:c::e", "eth2", north), ("fc00:d::e", "eth3", south)]
    hops = [f"nexthop {_LIST.format(sid, via, nic, weight)}" for sid, nic, weight in lists]
    return f"10.0.2.0/24 {' '.join(hops)}"


def judged(*new: str, node: str = "gate") -> list[str]:
    plan = fork()
    predicted = {one.probe: one for one in predict(plan, "shared")}
    differs = Difference(node, "", "route", (route(3, 1),), new)
    items = list(judge_routes(plan, predicted, [differs]))
    assert all(isinstance(one, RouteParts) and one.status is Status.FAIL for one in items)
    return [f"{one.point} {one.direction} {one.probe}" for one in items]


@pytest.mark.parametrize("new", [(route(4, 1),), (route(1, 3),), (), ("10.0.2.0/24 dev eth2 scope link",)])
def test_another_route_that_parts_flows_is_a_failure(new: tuple[str, ...]) -> None:
    assert judged(*new) == ["gate:eth2 out flows"] or judged(*new) == ["gate:eth3 out flows"]


def test_the_same_route_in_other_words_is_none() -> None:
    assert judged(route(3, 1, "via inet6 2001:ac::2 ")) == []


def test_a_route_where_no_flows_part_is_none() -> None:
    assert judged(route(4, 1), node="north") == []


def test_a_route_beside_that_parts_nothing_is_none() -> None:
    """It takes the address that packets come from, where flows part by another."""
    beside = Difference("gate", "", "route", (), ("10.0.1.1 dev eth1 scope link",))
    plan = fork()
    predicted = {one.probe: one for one in predict(plan, "shared")}
    assert list(judge_routes(plan, predicted, [beside])) == []


@pytest.mark.parametrize(("flows", "least"), [(400, 0.0), (1200, 0.99)])
def test_so_many_flows_tell_two_to_one_from_three_to_one(flows: int, least: float) -> None:
    """The probability that a count of flows with the share 2/3 is unlikely by 3/4."""
    told = [count for count in range(flows + 1) if surprise(count, flows, Fraction(3, 4)) < ALPHA]
    power = sum(_probability(count, flows, Fraction(2, 3)) for count in told)
    assert (power >= 0.99) is (least > 0)
