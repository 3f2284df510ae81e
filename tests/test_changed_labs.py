"""What the model makes of the actions of exercises, and of what it doesn't know: no machine."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Status
from srv6lab.judge.compare import compare
from srv6lab.judge.compare.permitted import foresee
from srv6lab.judge.compare.witnesses import UNLIMITED, span
from srv6lab.live.wait_for_policies import expected
from srv6lab.plan.actions import after
from srv6lab.plan.nodes import Plan
from srv6lab.plan.own import Own
from srv6lab.predict import predict
from srv6lab.predict.policies import elect
from srv6lab.topology.actions import parsed
from tests.conftest import SITE

MORE = Path(__file__).parent / "labs" / "more"
PLAN = SITE.load(SITE.refer(str(MORE / "actions.yml")))[0]
ISIS = SITE.load(SITE.refer(str(MORE / "actions-isis.yml")))[0]


def ends(plan: Plan, exercise: str) -> list[str]:
    """Where the walks of the first probe's packets end on their way there."""
    (one, *_) = predict(plan, exercise)
    return [str(trace.end) for trace in one.linux if trace.leg is Leg.THERE]


NO_WAY = "LOST at b: b has no route to fc00:c::d6"
THERE = "delivered to d: 2001:cd::2 is its address"


@pytest.mark.parametrize(
    ("exercise", "end"),
    [
        ("plain", THERE),
        ("no-sid", "LOST at b: fc00:b::e is no SID or address of b, though its own prefix fc00:b::/64 holds it"),
        ("new-sid", THERE),
        ("other-way", THERE),
        ("no-route", NO_WAY),
        ("new-route", THERE),
        ("nic-down", NO_WAY),
        ("far-nic-down", "LOST at b: b:eth2 has no carrier: c:eth1 is down"),
        ("dead", "LOST at a: a:eth1 has no carrier: b:eth1 is down"),
        ("ipv4-stays", "delivered to b: 10.0.2.1 is its address"),
        ("ipv4-beyond", "LOST at b: b has no route to 10.0.2.2"),
        ("ipv6-goes", "LOST at b: b has no route to 2001:bc::1"),
    ],
)  # fmt: skip
def test_where_packets_end_while_it_holds(exercise: str, end: str) -> None:
    assert ends(PLAN, exercise) == [end]


def test_a_step_holds_for_its_own_probes_only() -> None:
    found = {one.probe: [str(hop.point) for hop in one.linux[0].hops] for one in predict(PLAN, "steps")}
    assert "b:eth3" in found["one"] and "b:eth3" in found["three"]
    assert found["two"] == []


def test_loss_parts_the_packets_and_delay_does_not() -> None:
    (one,) = predict(PLAN, "lossy")
    there = [(trace.share, str(trace.end)) for trace in one.linux if trace.leg is Leg.THERE]
    half = Fraction(1, 2)
    assert there == [(half, THERE), (half, "LOST at a: netem loses it at a:eth1")]
    back = [trace.share for trace in one.linux if trace.leg is Leg.BACK]
    assert len(back) == 2


def test_of_all_that_is_lost_nothing_goes_on() -> None:
    exercise = PLAN.exercise("lossy")[1]
    action = parsed({"netem": {"link": "ab", "loss": "100%"}})
    plan = replace(PLAN, exercises=(exercise.model_copy(update={"apply": (action,)}),))
    assert ends(plan, "lossy") == ["LOST at a: netem loses it at a:eth1"]


@pytest.mark.parametrize("exercise", ["nic", "dead"])
def test_is_is_goes_another_way_with_another_source(exercise: str) -> None:
    (one,) = predict(ISIS, exercise)
    first = one.linux[0].hops[0]
    assert str(first.point.nic) == "eth2"
    assert str(first.packet.outer.source) == "2001:13::1"


def test_what_bgp_makes_of_it_is_not_modeled() -> None:
    plan = next(one for one in SITE.plans() if any(node.routing and node.routing.bgp for node in one.nodes))
    router = next(node for node in plan.nodes if node.routing)
    exercise = next(one for one in plan.exercises if one.probes)
    stopped = exercise.model_copy(update={"apply": (parsed({"stop": {"node": router.name}}),), "steps": ()})
    found = predict(replace(plan, exercises=(stopped,)), exercise.name)
    assert found and all(one.open for one in found)
    assert {trace.end.known for one in found for trace in one.linux} == {False}


# --- SR policies


HEADENDS = next(one for one in SITE.plans() if any(node.headend and not node.routing for node in one.nodes))
HEADEND = next(node for node in HEADENDS.nodes if node.headend)


def test_a_headend_sees_its_own_nics_and_no_others() -> None:
    assert HEADEND.headend
    known = {one.local for one in HEADEND.headend.db.links}
    nic = next(nic for nic in HEADEND.nics if known & {one.ip for one in nic.addresses})
    for action in (
        {"link": {"at": str(nic.point), "state": "down"}},
        {"link": {"at": str(nic.peer), "state": "down"}},
    ):
        view = elect(HEADENDS, [parsed(action)])[HEADEND.name].view
        gone = set(HEADEND.headend.db.links) - set(view.db.links)
        assert gone and all(nic.address.ip in (one.local, one.remote) for one in gone)


def test_a_headend_whose_probes_pass_what_is_not_modeled_is_not_modeled() -> None:
    first = elect(HEADENDS)[HEADEND.name]
    assert first.unknown == ""
    neighbor = next(
        nic.peer.node for nic in HEADEND.nics if HEADENDS.node(nic.peer.node).local_sids and not nic.vrf
    )
    nodes = tuple(
        replace(node, own=Own(("true",))) if node.name == neighbor else node for node in HEADENDS.nodes
    )
    plan = replace(HEADENDS, nodes=nodes)
    assert elect(plan)[HEADEND.name].unknown == f"{neighbor} has commands of its own"
    assert HEADEND.name in expected(HEADENDS) and HEADEND.name not in expected(plan)


# --- what is permitted where the model doesn't know


def unknown(plan: Plan, exercise: str) -> Prediction:
    nodes = tuple(replace(node, own=Own(("true",))) if node.name == "b" else node for node in plan.nodes)
    (one,) = predict(replace(plan, nodes=nodes), exercise)
    return one


def test_more_may_come_than_was_sent_and_on_the_last_wire_none() -> None:
    """Whoever isn't modeled may send a packet back, or not answer for its address."""
    counts = {
        str(spot[0]): [(one.least, one.most) for one in those]
        for spot, those in foresee(unknown(PLAN, "plain"), 3).items()
    }
    assert counts == {"a:eth1": [(0, UNLIMITED)], "b:eth1": [(0, UNLIMITED)]}
    assert span(0, UNLIMITED) == "0 or more"


def test_before_the_last_wire_all_must_be() -> None:
    nodes = tuple(replace(node, own=Own(("true",))) if node.name == "c" else node for node in PLAN.nodes)
    (one,) = predict(replace(PLAN, nodes=nodes), "plain")
    least = {str(spot[0]): those[0].least for spot, those in foresee(one, 3).items()}
    assert least == {"a:eth1": 3, "b:eth1": 3, "b:eth2": 0, "c:eth1": 0}


def test_a_mac_of_such_a_node_is_not_known() -> None:
    assert unknown(PLAN, "plain").linux[0].hops[-1].packet.destination_mac == ""


def test_what_holds_is_told_of_all_actions() -> None:
    actions = [parsed({"stop": {"node": "b"}}), parsed({"link": {"at": "c:eth2", "state": "down"}})]
    down = after(PLAN, actions).down
    assert {str(point) for point in down} == {f"b:eth{n}" for n in range(1, 6)} | {"c:eth2"}


def test_a_probe_that_can_not_leave_its_node_is_as_the_model_says() -> None:
    prediction = {one.probe: one for one in predict(PLAN, "steps")}
    found = {"two": Found(Sent("two", 0, 0, "ab" * 16, "Network is unreachable"), ())}
    verdict = compare("steps", [], found, {}, elsewhere_absent=False, predicted={"two": prediction["two"]})
    assert [item.status for item in verdict.items] == [Status.PASS]
    sent = {"one": Found(Sent("one", 0, 0, "ab" * 16, "Network is unreachable"), ())}
    verdict = compare("steps", [], sent, {}, elsewhere_absent=False, predicted={"one": prediction["one"]})
    assert Status.FAIL in {item.status for item in verdict.items}
