"""Rules, routes and what they steer, in the kernel: they do what the model says, and what somebody did to them is named.

What changes nothing for the packets of an exercise is never a cause.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.cli.tasks import check
from srv6lab.errors import NodeError
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.live.wait_for_routes import wait
from tests.conftest import Up, silent

LAB = str(Path(__file__).parent / "more" / "routing.yml")


@pytest.fixture(scope="module")
def lab(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(LAB)


@pytest.fixture(scope="module")
def core(bring_up: Callable[[str], Up]) -> Up:
    return bring_up(str(Path(LAB).with_name("isis-ecmp.yml")))


def test_isis_has_both_ways_and_flows_part_by_them(core: Up) -> None:
    verdict = judged(core, "flows")
    assert verdict.status is Status.PASS, verdict


def test_a_way_of_isis_that_somebody_took_away_is_seen(core: Up) -> None:
    """All packets arrive, and by ways of the model: only the shares, and the route, tell."""
    route = core.sh("fork", "ip -6 -oneline route show fc00:e::/64")
    north = next(one for one in route.split("nexthop") if "eth2" in one).split()
    core.sh(
        "fork",
        f"ip -6 route replace fc00:e::/64 proto isis metric 20 via {north[north.index('via') + 1]} dev eth2",
    )
    verdict = judged(core, "flows")
    assert verdict.status is Status.FAIL
    assert {str(one.point) for one in verdict.items if one.field == "share"} == {"fork:eth2", "fork:eth3"}
    assert [one.node for one in verdict.suspects][:1] == ["fork"], verdict.suspects


def test_what_keeps_a_neighbor_away_is_told_and_not_waited_for(core: Up) -> None:
    """The last of these tests on that lab: FRR needs some seconds to have its neighbor back."""
    core.sh("north", "vtysh -c 'configure terminal' -c 'interface eth2' -c 'isis passive'")
    said: list[str] = []
    with pytest.raises(NodeError, match="why: IS-IS is passive on north:eth2\n"):
        wait(core.running, core.plan, said.append)
    assert said[0].startswith("waiting for IS-IS adjacencies: north has no IS-IS adjacency with exit on eth2")
    assert said[-1] == "why: IS-IS is passive on north:eth2"


def judged(lab: Up, exercise: str) -> Verdict:
    (report,) = check(lab.running, lab.plan, [exercise], silent)
    return report


def rules(lab: Up) -> list[str]:
    said = lab.sh("gate", "ip rule show; ip -6 rule show").splitlines()
    return sorted({line.partition(":")[0] for line in said} - {"0", "32766", "32767"}, key=int)


EXERCISES = ("refused", "metric", "rule", "source", "nic", "weights", "applied", "alike", "kept", "answers")


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_kernel_does_what_the_model_says(lab: Up, exercise: str) -> None:
    verdict = judged(lab, exercise)
    assert verdict.status is Status.PASS, verdict


def test_what_an_exercise_applied_is_taken_back_with_its_rule(lab: Up) -> None:
    before = lab.sh("gate", "ip rule; ip route show table all; ip -6 route show table all")
    assert judged(lab, "applied").status is Status.PASS
    assert lab.sh("gate", "ip rule; ip route show table all; ip -6 route show table all") == before
    assert rules(lab) == ["100", "10002", "10003", "10004"]


def test_day0_again_lays_no_rule_twice(lab: Up) -> None:
    before = lab.sh("gate", "ip rule; ip -6 rule")
    lab.again()
    assert lab.sh("gate", "ip rule; ip -6 rule") == before


def test_flows_that_look_alike_and_part_are_a_fault(lab: Up) -> None:
    """A flow label for each flow of IPv4, which no Day0 gave."""
    sysctl = "/proc/sys/net/ipv6/seg6_flowlabel"
    lab.sh("gate", f"echo 1 >{sysctl}; ip route flush cache")
    try:
        verdict = judged(lab, "alike")
    finally:
        lab.sh("gate", f"echo 0 >{sysctl}")
    assert verdict.status is Status.FAIL
    (item,) = [one for one in verdict.items if one.predicted == "all by one way"]
    assert "up" in item.note
    assert [one.node for one in verdict.suspects][:1] == ["gate"], verdict.suspects


FAULTS = [
    ("rule", "ip rule del preference 100", "rule-missing"),
    ("rule", "ip rule del preference 100; ip rule add preference 100 from 10.0.3.0/24 lookup 100", "rule-missing"),
    ("nic", "ip rule del preference 10003", "rule-missing"),
    ("rule", "ip route replace blackhole 10.0.8.0/24 table 100", "table-route-missing"),
    ("metric", "ip route add 10.0.8.0/24 via 10.5.0.2 metric 50", "route-missing"),
    ("metric", "ip route del 10.0.8.0/24 metric 100; ip route add blackhole 10.0.8.0/24 metric 100", "route-discards"),
    ("source", "ip route replace 10.0.9.0/24 encap seg6 mode encap segs fc00:c::e,fc00:d::d4 dev eth4 table 10002", "steered-otherwise"),
    ("source", "ip route del 10.0.9.0/24 table 10002", "steered-otherwise"),
    (
        "weights",
        "ip -6 route replace ::/0 table 10004 nexthop encap seg6 mode encap segs fc00:b::e,fc00:d::d6 via 2001:ab::2"
        " dev eth3 weight 1 nexthop encap seg6 mode encap segs fc00:c::e,fc00:d::d6 via 2001:ac::2 dev eth4 weight 3",
        "steered-otherwise",
    ),
    ("weights", "echo 0 >/proc/sys/net/ipv6/fib_multipath_hash_policy; ip -6 route flush cache", None),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "broken", "cause"), FAULTS)
def test_what_somebody_did_is_named(lab: Up, exercise: str, broken: str, cause: str | None) -> None:
    lab.sh("gate", broken)
    try:
        verdict = judged(lab, exercise)
    finally:
        lab.sh("gate", "ip route flush table 100; ip route flush table 10002; ip -6 route flush table 10004")
        lab.sh("gate", "ip route del 10.0.8.0/24 metric 50 2>/dev/null || true")
        lab.sh("gate", "ip route del blackhole 10.0.8.0/24 metric 100 2>/dev/null || true")
        lab.sh("gate", "echo 1 >/proc/sys/net/ipv6/fib_multipath_hash_policy")
        lab.again()
    if cause is None:  # by the flow label, which each flow has, they part by weight all the same
        assert verdict.status is Status.PASS
        return
    assert verdict.status is Status.FAIL
    assert [one.cause for one in verdict.suspects][:1] == [cause], verdict.suspects
    assert verdict.suspects[0].node == "gate"


HARMLESS = [
    ("rule", "ip route add 10.0.8.0/24 via 10.4.0.2 metric 10", "ip route del 10.0.8.0/24 metric 10"),
    ("rule", "ip rule add preference 90 from 10.0.3.0/24 blackhole", "ip rule del preference 90"),
    ("rule", "ip rule add preference 90 from 10.0.2.0/24 to 10.0.6.0/24 blackhole", "ip rule del preference 90"),
    ("metric", "ip route add 10.0.8.0/24 via 10.5.0.2 metric 150", "ip route del 10.0.8.0/24 metric 150"),
    ("metric", "ip route add blackhole 10.0.6.0/24", "ip route del blackhole 10.0.6.0/24"),
    ("source", "ip route add blackhole 10.0.6.0/24 table 10002", "ip route del blackhole 10.0.6.0/24 table 10002"),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "put", "taken"), HARMLESS)
def test_what_no_packet_meets_is_no_fault(lab: Up, exercise: str, put: str, taken: str) -> None:
    lab.sh("gate", put)
    try:
        verdict = judged(lab, exercise)
    finally:
        lab.sh("gate", taken)
    assert verdict.status is Status.PASS, verdict
    assert verdict.suspects == ()


@pytest.mark.parametrize(
    ("exercise", "put", "taken"),
    [*HARMLESS[:2], *(pytest.param(*one, marks=pytest.mark.prove) for one in HARMLESS[2:])],
)
def test_beside_a_fault_it_is_not_accused(lab: Up, exercise: str, put: str, taken: str) -> None:
    lab.sh("gate", f"{put}; ip link set dev {'eth1' if exercise in ('metric', 'source') else 'eth2'} down")
    try:
        verdict = judged(lab, exercise)
    finally:
        lab.sh("gate", f"{taken}; ip link set dev eth1 up; ip link set dev eth2 up")
        lab.again()
    assert [one.cause for one in verdict.suspects][:1] == ["nic-down"]
    assert not {"rule-missing", "steered-otherwise", "policy-rule", "route-discards"} & {
        one.cause for one in verdict.suspects
    }
