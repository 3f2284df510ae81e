"""Static routes, rules and what is steered by them, in the model: no machine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from srv6lab.evidence.packets import Direction
from srv6lab.evidence.prediction import Leg, Prediction, Trace
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import render
from tests.small import planned

# a and b are behind gate, c is behind exit; two links lead from gate to exit.
LAB = """\
name: rules
nodes:
  a: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.1.2}]}
  b: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.2.2}]}
  c: {role: host, routes: [{prefix: 0.0.0.0/0, via: 10.0.9.2}]}
  gate: {role: router, routes: [ROUTES], rules: [RULES]}
  exit: {role: router, locator: "fc00:d::/64", routes: [{prefix: 10.0.0.0/16, via: 10.4.0.1}]}
links:
  - {name: la, prefix: 10.0.1.0/24, endpoints: ["a:eth1", "gate:eth1"]}
  - {name: lb, prefix: 10.0.2.0/24, endpoints: ["b:eth1", "gate:eth2"]}
  - {name: four, prefix: 10.4.0.0/24, endpoints: ["gate:eth3", "exit:eth1"]}
  - {name: five, prefix: 10.5.0.0/24, endpoints: ["gate:eth4", "exit:eth2"]}
  - {name: six, prefix: "2001:6::/64", endpoints: ["gate:eth5", "exit:eth3"]}
  - {name: seven, prefix: "2001:7::/64", endpoints: ["gate:eth6", "exit:eth4"]}
  - {name: lc, prefix: 10.0.9.0/24, endpoints: ["c:eth1", "exit:eth5"]}
local_sids: [{node: exit, sid: "fc00:d::d4", behavior: End.DX4, nh4: 10.0.9.1}, {node: exit, sid: "fc00:d::e", behavior: End}]
steering: [STEERING]
exercises: [{name: across, APPLY probes: [{id: p, from: FROM, to: c, PROBE}], expect: {elsewhere: any, packets: [{at: "c:eth1", direction: in, probe: p}]}}]
"""
FOUR = "{prefix: 10.0.9.0/24, via: 10.4.0.2}"
SIDS = '{prefix: "fc00:d::/64", via: "2001:6::2"}'


def text(
    routes: str = FOUR,
    rules: str = "",
    steering: str = "",
    of: str = "a",
    probe: str = "icmp: 2",
    apply: str = "",
) -> str:
    made = LAB.replace("ROUTES", routes).replace("RULES", rules).replace("STEERING", steering)
    made = made.replace("APPLY", f"apply: [{{steering: {apply}}}]," if apply else "")
    return made.replace("FROM", of).replace("PROBE", probe)


def lab(**given: str) -> Plan:
    return planned(text(**given))


def predicted(**given: str) -> Prediction:
    (one,) = predict(lab(**given), "across")
    return one


def walks(**given: str) -> list[Trace]:
    return [trace for trace in predicted(**given).linux if trace.leg is Leg.THERE]


def leaves(traces: Sequence[Trace]) -> dict[str, Fraction]:
    """By which NICs of gate they go, with their shares."""
    return {
        hop.point.nic: trace.share
        for trace in traces
        for hop in trace.hops
        if hop.point.node == "gate" and hop.direction is Direction.OUT
    }


def by(**given: str) -> list[str]:
    return [*leaves(walks(**given))]


# --- routes


def test_the_least_metric_leads() -> None:
    five = FOUR.replace("10.4.0.2", "10.5.0.2")
    assert by(routes=f"{FOUR}, {five.replace('}', ', metric: 5}')}") == ["eth3"]
    assert by(routes=f"{FOUR.replace('}', ', metric: 9}')}, {five.replace('}', ', metric: 5}')}") == ["eth4"]


@pytest.mark.parametrize(
    ("kind", "code"), [("blackhole", None), ("unreachable", (3, 1)), ("prohibit", (3, 13))]
)
def test_a_route_that_refuses_tells_the_source_or_not(kind: str, code: tuple[int, int] | None) -> None:
    found = predicted(routes=f"{{prefix: 10.0.9.0/24, type: {kind}}}")
    (trace,) = [one for one in found.linux if one.leg is Leg.THERE]
    assert (trace.end.delivered, str(trace.end.place)) == (False, "gate")
    assert kind in trace.end.reason
    told = {(icmp.type, icmp.code) for one in found.told for hop in one.hops if (icmp := hop.packet.icmp)}
    assert told == ({code} if code else set())


def test_a_route_that_refuses_waits_behind_a_lesser_metric() -> None:
    assert by(routes=f"{FOUR}, {{prefix: 10.0.9.0/24, type: blackhole, metric: 9}}") == ["eth3"]


def test_a_prefix_on_a_link_is_asked_for_there() -> None:
    (trace,) = walks(routes="{prefix: 10.0.9.0/24, nic: eth3}")
    assert trace.end.reason == "nobody on gate:eth3's link has the address 10.0.9.1"


def test_a_metric_puts_an_ipv4_route_behind_its_link_and_an_ipv6_route_before_it() -> None:
    behind = "{prefix: 10.4.0.0/24, via: 10.5.0.2, metric: 7}"
    assert by(routes=f"{FOUR}, {behind}") == ["eth3"]


# --- rules

TABLE = FOUR.replace("10.4.0.2", "10.5.0.2").replace("}", ", table: 100}")


@pytest.mark.parametrize(
    ("rule", "of", "nic"),
    [
        ("from: 10.0.1.0/24", "a", "eth4"),
        ("from: 10.0.1.0/24", "b", "eth3"),
        ("iif: eth2", "b", "eth4"),
        ("iif: eth2", "a", "eth3"),
        ("iif: lo", "a", "eth3"),
        ("to: 10.0.9.1/32", "a", "eth4"),
        ("to: 10.0.9.2/32", "a", "eth3"),
        ("from: 10.0.1.1/32, iif: eth2", "a", "eth3"),
        ("fwmark: 5", "a", "eth3"),
        ("to: 10.0.9.0/24, iif: lo", "gate", "eth4"),
        ("from: 10.4.0.1/32", "gate", "eth3"),  # a packet has no source when its route is looked for
    ],
)
def test_a_rule_takes_what_matches_all_of_it(rule: str, of: str, nic: str) -> None:
    rules = f"{{priority: 100, {rule}, table: 100}}"
    assert by(routes=f"{FOUR}, {TABLE}", rules=rules, of=of) == [nic]


def test_the_least_priority_comes_first_and_a_table_without_a_route_is_passed_by() -> None:
    refuses = "{prefix: 10.0.9.0/24, type: blackhole, table: 101}"
    routes = f"{FOUR}, {TABLE}, {refuses}"
    first, second = (
        f"{{priority: {number}, from: 10.0.1.0/24, table: {table}}}"
        for number, table in ((200, 101), (100, 100))
    )
    assert by(routes=routes, rules=f"{first}, {second}") == ["eth4"]
    assert by(routes=routes, rules=first) == []
    elsewhere = "{prefix: 10.7.0.0/16, via: 10.5.0.2, table: 100}"
    assert by(routes=f"{FOUR}, {elsewhere}", rules=second) == ["eth3"]


def test_answers_have_a_source_by_which_a_rule_takes_them() -> None:
    found = predicted(
        routes="{prefix: 10.0.9.0/24, via: 10.4.0.2}, {prefix: 0.0.0.0/0, type: blackhole, table: 100}",
        rules="{priority: 100, from: 10.0.1.2/32, table: 100}",
    )
    assert all(trace.end.delivered for trace in found.linux)


# --- steering

OVER = '{segments: ["fc00:d::d4"]}'
SOURCE = f"{{headend: gate, match: {{prefix: 10.0.9.0/24, source: 10.0.1.0/24}}, to: {OVER}}}"


def test_steering_by_source_leaves_the_others_alone() -> None:
    assert by(routes=f"{FOUR}, {SIDS}", steering=SOURCE) == ["eth5"]
    assert by(routes=f"{FOUR}, {SIDS}", steering=SOURCE, of="b") == ["eth3"]


def test_the_narrowest_source_counts_and_a_source_before_a_nic() -> None:
    seven = '{prefix: "fc00:d::e/128", via: "2001:7::2"}'
    narrow = '{headend: gate, match: {prefix: 10.0.9.0/24, source: 10.0.1.1/32}, to: {segments: ["fc00:d::e", "fc00:d::d4"]}}'
    nic = narrow.replace("source: 10.0.1.1/32", "nic: eth1")
    routes = f"{FOUR}, {SIDS}, {seven}"
    assert by(routes=routes, steering=f"{SOURCE}, {narrow}") == ["eth6"]
    assert by(routes=routes, steering=f"{nic}, {SOURCE}") == ["eth5"]
    both = nic.replace("nic: eth1", "nic: eth1, source: 10.0.1.0/24")
    assert by(routes=routes, steering=f"{SOURCE}, {both}") == ["eth6"]


def test_steering_in_a_table_is_for_whom_a_rule_takes_there() -> None:
    steering = f"{{headend: gate, match: {{prefix: 10.0.9.0/24, table: 100}}, to: {OVER}}}"
    rules = "{priority: 5, from: 10.0.2.0/24, table: 100}"
    assert by(routes=f"{FOUR}, {SIDS}", steering=steering, rules=rules) == ["eth3"]
    assert by(routes=f"{FOUR}, {SIDS}", steering=steering, rules=rules, of="b") == ["eth5"]


def test_lists_share_flows_by_their_weights() -> None:
    seven = '{prefix: "fc00:d::e/128", via: "2001:7::2"}'
    lists = (
        '{segment_lists: [{segments: ["fc00:d::d4"], weight: 3}, {segments: ["fc00:d::e", "fc00:d::d4"]}]}'
    )
    steering = f"{{headend: gate, match: {{prefix: 10.0.9.0/24}}, to: {lists}}}"
    found = walks(routes=f"{SIDS}, {seven}", steering=steering, probe="udp: 40")
    assert leaves(found) == {"eth5": Fraction(3, 4), "eth6": Fraction(1, 4)}
    day0 = render(lab(routes=f"{SIDS}, {seven}", steering=steering))["day0/gate.sh"]
    assert "fib_multipath_hash_policy" in day0  # else all flows of IPv4 would take one of them
    assert "fib_multipath_hash_policy" not in render(lab())["day0/gate.sh"]


def test_what_a_table_takes_all_of_leaves_it_when_it_is_encapsulated() -> None:
    steering = f'{{headend: gate, match: {{prefix: "::/0", nic: eth1}}, to: {OVER}}}'
    plan = lab(routes=f"{FOUR}, {SIDS}", steering=steering)
    assert "route replace throw fc00:d::d4 table 10001" in render(plan)["day0/gate.sh"]
    assert [one.rule.versions for one in plan.node("gate").steering if one.rule] == [(6,)]
    assert by(routes=f"{FOUR}, {SIDS}", steering=steering) == ["eth3"]  # IPv4 isn't meant


def test_an_applied_selector_brings_its_rule_and_takes_it_away() -> None:
    plan = lab(routes=f"{FOUR}, {SIDS}", apply=SOURCE)
    (change,) = changes_of(plan, plan.exercises[0].apply[0])
    rule = "ip -4 rule add preference 10001 from 10.0.1.0/24 lookup 10001"
    assert rule in change.do and rule not in change.undo
    assert "ip -4 rule delete preference 10001" in change.undo
    assert "rule add" not in render(plan)["day0/gate.sh"]
    assert by(routes=f"{FOUR}, {SIDS}", apply=SOURCE) == ["eth5"]


def test_an_applied_selector_that_the_lab_has_keeps_its_rule() -> None:
    plan = lab(routes=f"{FOUR}, {SIDS}", steering=SOURCE, apply=SOURCE.replace("d::d4", "d::e"))
    (change,) = changes_of(plan, plan.exercises[0].apply[0])
    assert "rule" not in change.do + change.undo
    assert "fc00:d::d4" in change.undo
