"""Whether flows part by the ways of a route: what the model permits, and what the judge makes of it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from srv6lab.evidence.packets import Direction, Place
from srv6lab.evidence.prediction import Choice, Prediction
from srv6lab.evidence.shares import Shares, Way
from srv6lab.judge.compare.parted import parted
from srv6lab.predict import predict
from tests.small import planned
from tests.walks import FORK, PLAIN, SIX_FORK, there

UP = Choice("k", Place("gate"), "north", 0, 2, True)
DOWN = replace(UP, way="south", taken=1)


def test_what_all_flows_choose_together_is_nothing_or_all() -> None:
    shares = Shares.of([Way(Fraction(1), (UP,))])
    assert (shares.possible, shares.open_, str(shares), shares.sure) == ({0, 1}, False, "0 or 1", None)
    assert not shares.permit(Fraction(1, 2))


def test_a_choice_behind_a_share_bounds_it() -> None:
    """Half of the flows come to a node that sends them up or down."""
    half, quarter = Fraction(1, 2), Fraction(1, 4)
    assert Shares.of([Way(half, (UP,)), Way(quarter)]).possible == {quarter, 3 * quarter}
    assert Shares.of([Way(half, (UP,)), Way(half, (DOWN,))]).sure == half


def test_any_flow_any_way_permits_what_lies_between() -> None:
    shares = Shares.of([Way(Fraction(1), (replace(UP, all_=False),))])
    assert shares.permit(Fraction(1, 3)) and not Shares.of([Way(Fraction(1, 2))]).permit(Fraction(1, 3))


def test_two_choices_are_independent_and_one_choice_agrees_with_itself() -> None:
    other = replace(UP, key="other")
    assert Shares.of([Way(Fraction(1, 2), (UP,)), Way(Fraction(1, 2), (other,))]).possible == {
        0,
        Fraction(1, 2),
        1,
    }
    assert Shares.of([Way(Fraction(1, 2), (UP,)), Way(Fraction(1, 2), (UP,))]).possible == {0, 1}


@pytest.mark.parametrize("text", ["any", "3/4"])
def test_shares_as_they_are_written(text: str) -> None:
    assert str(Shares.written(text)) == text


def predicted(text: str) -> Prediction:
    (one,) = predict(planned(text), "across")
    return one


def test_flows_that_look_alike_and_part_all_the_same_are_seen() -> None:
    one, other = there(FORK, linux=True)
    assert list(parted([(one, ()), (one, ())])) == []
    (item,) = parted([(one, ()), (other, ()), (other, ())])
    assert item.captured == "1 to 2001:ab::2 on eth2 and 2 to 2001:ac::2 on eth3"
    assert "gate" in item.note


def test_flows_that_may_take_any_way_or_have_shares_are_no_finding() -> None:
    for text in (SIX_FORK, PLAIN):
        one, other = there(text, linux=True)
        assert list(parted([(one, ()), (other, ())])) == []


def test_a_node_of_which_the_same_packet_asks_twice_says_the_same_twice() -> None:
    """South sends back to gate what gate sends to it: it would come to south again, for ever."""
    text = FORK.replace(
        '{prefix: "fc00:d::/64", via: "2001:cd::2"}', '{prefix: "fc00:d::/64", via: "2001:ac::1"}'
    )
    traces = there(text)
    assert len(traces) == 2
    lost = next(trace for trace in traces if not trace.end.delivered)
    assert "hop limit" in lost.end.reason
    assert [hop.point.node for hop in lost.hops if hop.direction is Direction.OUT].count("north") == 0


SET = 'role: router, sysctls: {{net.ipv6.{}: "{}"}}, locator: "fc00:a::/64"'


def together(text: str) -> list[list[bool]]:
    return [[one.all_ for one in trace.choices] for trace in there(text)]


def test_what_the_author_sets_is_known_to_the_hash() -> None:
    router, udp = 'role: router, locator: "fc00:a::/64"', FORK.replace("icmp: 3", "udp: 80")
    assert together(udp) == [[True], [True]]
    assert together(udp.replace(router, SET.format("seg6_flowlabel", 1))) == [[False], [False]]
    assert together(udp.replace(router, SET.format("fib_multipath_hash_policy", 1))) == [[False], [False]]
    plain = PLAIN.replace(router, SET.format("fib_multipath_hash_policy", 3))
    assert together(plain) == [[False], [False]]
