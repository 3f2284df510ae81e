"""SR policies from the topology to what headends are told, and to what the model says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from srv6lab.agent.config import load
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, Icmp, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Item, Status
from srv6lab.judge.compare import compare, judge_answered
from srv6lab.judge.compare.binomial import likely, surprise
from srv6lab.judge.diagnose.suspects import of_segments
from srv6lab.judge.expectations import ExpectedAnswers, expectations
from srv6lab.live.wait_for_policies import astray, expected, told_by
from srv6lab.plan.headend import PlannedHeadend
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.predict.policies import elect
from srv6lab.report.policies import policies_json, policies_text
from srv6lab.srv6.policy.state import Action
from tests.conftest import invoke
from tests.fork import BY_CLASS, FAST, GOLD, fork, text
from tests.small import LINE, planned

NORTH, SOUTH, SHORT = Point("gate", "eth2"), Point("gate", "eth3"), Point("gate", "eth4")


def headend(plan: Plan) -> PlannedHeadend:
    found = plan.node("gate").headend
    assert found is not None
    return found


def leaves(plan: Plan) -> dict[Point, Fraction]:
    """By which NIC of the headend the flows of the exercise leave, by the model."""
    found: dict[Point, Fraction] = {}
    for trace in predict(plan, "shared")[0].linux:
        for hop in trace.hops:
            if hop.point.node == "gate" and hop.direction is Direction.OUT:
                found[hop.point] = found.get(hop.point, Fraction(0)) + trace.share
    return found


def test_the_database_is_the_plans() -> None:
    db = headend(fork()).db
    (upper,) = [one for one in db.links if (one.node, one.neighbor) == ("gate", "north")]
    (short,) = [one for one in db.links if (one.node, one.neighbor) == ("exit", "gate")]
    assert (upper.delay, upper.te_metric, upper.affinities, upper.srlgs) == (
        5,
        10,
        frozenset({"gold"}),
        frozenset({7}),
    )
    assert (short.delay, short.igp_metric) == (90, 5)
    assert {one.name for one in db.nodes} == {"gate", "north", "south", "exit"}
    over = [one for one in db.sids if one.behavior == "End.X"]
    assert over[0].link == upper


def test_the_agent_reads_what_day0_writes(tmp_path: Path) -> None:
    plan, names = fork(BY_CLASS), tmp_path / "nics"
    names.write_text("eth2=enp0s9\n")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(headend(plan).document(str(names))))
    config = load(path)
    assert (config.policies, config.db) == (headend(plan).policies, headend(plan).db)
    assert sorted(config.nics.values()) == ["enp0s9", "eth3", "eth4"]
    assert [one.classes for one in config.steering if one.classes] == [((0, 10), (1, 20))]
    assert [(one.table, one.otherwise) for steered in config.steering for one in steered.entries()] == [
        (None, ("encap", "seg6", "mode", "encap", "segs", "fc00:b::d4", "dev", "eth4")),
        (901, ()),
    ]


def test_flows_are_shared_by_weights_in_the_model() -> None:
    assert leaves(fork()) == {NORTH: Fraction(3, 4), SOUTH: Fraction(1, 4)}


@pytest.mark.parametrize(
    ("target", "cut", "port", "left"),
    [
        (GOLD, ["upper-end"], 5000, {SOUTH: 1}),
        (GOLD, ["upper-end", "lower"], 5000, {SHORT: 1}),
        (FAST, [], 5000, {NORTH: 1}),
        (FAST, ["upper-end"], 5000, {}),
        (BY_CLASS, [], 5001, {NORTH: 1}),
        (BY_CLASS, ["upper-end", "lower"], 5000, {SHORT: 1}),
        (BY_CLASS, ["upper"], 5001, {}),
    ],
)
def test_headends_elect_without_the_links_that_are_cut(
    target: str, cut: list[str], port: int, left: Mapping[Point, int]
) -> None:
    assert leaves(fork(target, *cut, port=port)) == left


def test_a_dropped_packet_says_why() -> None:
    (trace,) = predict(fork(FAST, "upper"), "shared")[0].linux
    assert trace.end.reason == "10.0.2.0/24 is dropped: no candidate path of its policy is valid"


def test_probes_of_the_model_find_a_dead_list() -> None:
    plan = fork(GOLD, "upper-end")
    elected = elect(plan, plan.exercises[0].apply)["gate"]
    gold, fast = elected.states.values()
    assert [str(one.faults[0]) for one in gold.candidates[0].lists if one.faults] == [
        "the probe over fc00:c::e doesn't come back"
    ]
    assert (gold.action, fast.action) == (Action.STEER, Action.DROP)


# --- what agents say


def test_an_agent_that_agrees_is_not_astray() -> None:
    told = expected(fork())["gate"]
    assert list(astray("gate", told, told)) == []


def test_what_an_agent_has_otherwise_is_named() -> None:
    plan = fork(GOLD, "upper-end")
    said = told_by(elect(plan, plan.exercises[0].apply)["gate"])
    lines = list(astray("gate", expected(plan)["gate"], said))
    assert lines[0].startswith(
        "policy 10 to fc00:b::1 of gate has fc00:d::e (1); the model has fc00:c::e (3/4) and fc00:d::e (1/4)"
    )
    assert lines[0].endswith("the probe over fc00:c::e doesn't come back")
    assert list(astray("gate", said, None)) == ["gate has elected nothing yet"]
    busy = {**said, "routes": [{"route": ["10.0.2.0/24"], "behind": ["unknown"]}], "installed": False}
    assert list(astray("gate", said, busy)) == ["gate has not installed 10.0.2.0/24"]
    assert list(astray("gate", said, {**said, "installed": False})) == [
        "gate has not installed what it elected"
    ]
    assert (
        next(astray("gate", said, {**said, "policies": []})) == "policy 10 to fc00:b::1 of gate isn't there"
    )


def test_policies_are_shown_with_the_rule_that_chose() -> None:
    told: dict[str, Any] = dict(expected(fork()))
    shown = policies_text(told, "the model")
    assert "gate <10, fc00:b::1> gold: valid" in shown
    assert "active: the highest preference" in shown and "valid, but not the highest preference" in shown
    assert "3/4 of its flows over fc00:c::e, weight 3 in Linux" in shown
    (found,) = json.loads(policies_json(told, "the model"))
    assert (found["headend"], found["source"], len(found["policies"])) == ("gate", "the model", 2)


def test_the_task_shows_what_the_model_has_of_a_lab_that_is_not_up(tmp_path: Path) -> None:
    path = tmp_path / "fork.yml"
    path.write_text(text())
    shown = invoke("policy", str(path), "--format", "json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)[0]["policies"][0]["chosen_by"] == "the highest preference"
    refused = invoke("policy", str(path), "--format", "xml")
    assert refused.returncode == 1 and "there are: text, json" in refused.stderr


def test_a_list_may_lead_over_a_binding_sid_of_another_headend() -> None:
    """Its probe comes back only where that headend has elected."""
    over = """policies:
  - headend: north
    color: 10
    endpoint: "fc00:b::1"
    candidate_paths: [{binding_sid: "fc00:c::b", segment_lists: [{segments: ["fc00:b::6"]}]}]
  - headend: gate
    color: 30
    endpoint: "fc00:b::1"
    candidate_paths: [{segment_lists: [{segments: ["fc00:c::b", "fc00:b::e"]}]}]
"""
    table = '  - {node: exit, sid: "fc00:b::6", behavior: End.DT6, table: 254}\n'
    changed = text().replace("policies:\n", f"{table}{over}")
    elected = elect(planned(changed))
    state = next(one for id, one in elected["gate"].states.items() if id.color == 30)
    assert state.valid, state.candidates
    without = elect(planned(changed.replace('["fc00:b::6"]', '["fc00:b::e"]')))
    state = next(one for id, one in without["gate"].states.items() if id.color == 30)
    assert not state.valid, "a policy that ends with an End hands nothing on"


# --- shares


@pytest.mark.parametrize(("weights", "share"), [((1, 1), "1/2"), ((3, 1), "3/4"), ((9, 1), "9/10")])
def test_what_is_likely_by_one_share_is_not_by_another(weights: tuple[int, int], share: str) -> None:
    count = 4000 * weights[0] // sum(weights)
    assert likely(count, 4000, Fraction(share))
    others = {"1/2", "3/4", "9/10"} - {share}
    assert not any(likely(count, 4000, Fraction(other)) for other in others)


def test_the_surprise_is_the_binomial_tail() -> None:
    assert surprise(0, 10, Fraction(1, 2)) == pytest.approx(2 / 1024)
    assert surprise(5, 10, Fraction(1, 2)) == 1.0
    assert likely(10, 10, Fraction(1)) and not likely(9, 10, Fraction(1))
    assert likely(0, 10, Fraction(0)) and not likely(1, 10, Fraction(0))


def verdict(plan: Plan, *counts: int, blind: bool = False) -> list[Item]:
    """The items of the shares where so many of 400 flows were captured at each NIC of the headend."""
    prediction = predict(plan, "shared")[0]
    first = {
        hop.point: hop
        for trace in reversed(prediction.linux)
        for hop in trace.hops
        if hop.direction is Direction.OUT
    }
    hops: list[Hop] = []
    for point, count in zip((NORTH, SOUTH), counts, strict=True):
        hops += [first[point]] * count
    found = {"flows": Found(Sent("flows", 400, 0, "ab" * 16), tuple(hops))}
    state = "dead" if blind else "live"
    tracers = {nic.point: Tracer(nic.point, state, note="gone") for nic in plan.traced()}
    items = compare(
        "shared",
        expectations(plan, "shared"),
        found,
        tracers,
        elsewhere_absent=False,
        predicted={"flows": prediction},
    ).items
    return [one for one in items if one.point in (NORTH, SOUTH)]


def test_likely_counts_pass() -> None:
    items = verdict(fork(), 310, 90)
    assert [(one.kind, one.status, one.note) for one in items] == [
        ("packet", Status.PASS, "3/4 of 400 flows"),
        ("packet", Status.PASS, "1/4 of 400 flows"),
    ]


def test_one_to_one_is_rejected_against_three_to_one() -> None:
    items = verdict(fork(), 200, 200)
    assert [
        (one.kind, one.status, one.expected, one.predicted, one.captured, one.alone) for one in items
    ] == [
        ("share", Status.FAIL, "3/4", "3/4", "200 of 400", "captured"),
        ("share", Status.FAIL, "1/4", "1/4", "200 of 400", "captured"),
    ]


def test_an_author_with_other_shares_stands_alone() -> None:
    items = verdict(fork(weight=1), 200, 200)
    assert {(one.kind, one.expected, one.predicted, one.alone) for one in items} == {
        ("share", "3/4", "1/2", "expected"),
        ("share", "1/4", "1/2", "expected"),
    }
    assert {one.alone for one in verdict(fork(weight=1), 300, 100)} == {"predicted"}


def test_a_dead_tracer_proves_no_share_wrong() -> None:
    assert {one.status for one in verdict(fork(), 100, 30, blind=True)} == {Status.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("answers", "state", "status"),
    [
        (250, "live", Status.PASS),
        (150, "live", Status.FAIL),
        (150, "dead", Status.INCONCLUSIVE),
    ],
)
def test_answers_are_counted_where_the_answers_come_in(answers: int, state: str, status: Status) -> None:
    point = Point("west", "eth1")
    hop = predict(fork(), "shared")[0].linux[0].hops[0]
    packets = [replace(hop.packet, icmp=Icmp(0, 0, 7, number)) for number in range(answers)]
    back = [Hop(point, Direction.IN, packet) for packet in (*packets, packets[0])]
    found = {"flows": Found(Sent("flows", 300, 0, "ab"), (*back, hop))}
    (item,) = judge_answered(
        [ExpectedAnswers("flows", "west", 201, 300, LINE)], found, {point: Tracer(point, state, note="gone")}
    )
    assert (item.status, item.captured) == (status, f"{answers} of 300")


@pytest.mark.parametrize(("answers", "status"), [(0, Status.PASS), (1, Status.FAIL)])
def test_a_probe_that_nothing_may_answer(answers: int, status: Status) -> None:
    point = Point("west", "eth1")
    hop = predict(fork(), "shared")[0].linux[0].hops[0]
    back = tuple(Hop(point, Direction.IN, replace(hop.packet, icmp=Icmp(0, 0, 7, n))) for n in range(answers))
    found = {"flows": Found(Sent("flows", 3, 0, "ab"), (*back, hop))}
    (item,) = judge_answered(
        [ExpectedAnswers("flows", "west", 0, 0, LINE)], found, {point: Tracer(point, "live")}
    )
    assert (item.status, item.expected) == (status, "0")


def test_of_a_ping_that_nobody_typed_no_answer_is_known() -> None:
    found = {"flows": Found(Sent("flows", 0, 0), ())}
    point = Point("west", "eth1")
    (item,) = judge_answered(
        [ExpectedAnswers("flows", "west", 201, 300, LINE)], found, {point: Tracer(point, "live")}
    )
    assert item.status is Status.INCONCLUSIVE


def test_segments_that_a_failed_probe_names_are_asked_for_where_they_are() -> None:
    plan = fork()
    owner = next(node for node in plan.nodes if node.local_sids)
    sid = owner.local_sids[0]
    asked = [
        (one.cause, one.node)
        for one in of_segments(plan, f"the probe over {sid.sid}, 2001:db8::9 doesn't come back")
    ]
    assert asked == [
        ("sid-not-installed", owner.name),
        ("sid-differs", owner.name),
        ("forwarding-off", owner.name),
    ]
    assert not list(of_segments(plan, "policy 20 has no valid path (drop)"))
