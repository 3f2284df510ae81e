"""Which rules and steered tables are suspected where a packet didn't leave as it should; no machine."""

from __future__ import annotations

from srv6lab.evidence.prediction import Hop
from srv6lab.judge.diagnose.of_rules import leading, of_rules
from srv6lab.plan.nodes import PlannedNode
from tests.test_rules import FOUR, SIDS, SOURCE, TABLE, lab, walks

RULES = "{priority: 100, from: 10.0.1.0/24, table: 100}, {priority: 101, from: 10.0.2.0/24, table: 100}"


def at_gate(**given: str) -> tuple[PlannedNode, Hop, Hop]:
    """The node, and a packet as it comes there and leaves."""
    (trace,) = walks(**given)
    came, out = (hop for hop in trace.hops if hop.point.node == "gate")
    return lab(**given).node("gate"), came, out


def causes(**given: str) -> list[tuple[str, str]]:
    found = of_rules(*at_gate(**given))
    return [(one.cause, dict(one.about).get("preference") or dict(one.about)["table"]) for one in found]


def test_only_rules_that_take_the_packet_are_suspected_and_their_table() -> None:
    routes = f"{FOUR}, {TABLE}"
    assert causes(routes=routes, rules=RULES) == [("rule-missing", "100"), ("table-route-missing", "100")]
    assert causes(routes=routes, rules=RULES, of="b") == [
        ("rule-missing", "101"),
        ("table-route-missing", "100"),
    ]
    assert causes(routes=FOUR) == []


def test_the_main_table_is_asked_only_of_what_no_rule_leads_elsewhere() -> None:
    routes = f"{FOUR}, {TABLE}"
    assert [one.preference for one in leading(*at_gate(routes=routes, rules=RULES))] == [100]
    assert leading(*at_gate(routes=routes)) == []
    elsewhere = RULES.replace("table: 100", "table: 101")
    assert leading(*at_gate(routes=routes, rules=elsewhere)) == []


def test_what_is_steered_by_source_is_suspected_for_that_source_alone() -> None:
    given = {"routes": f"{FOUR}, {SIDS}", "steering": SOURCE}
    assert causes(**given) == [("rule-missing", "10001"), ("steered-otherwise", "10001")]
    assert causes(**given, of="b") == []
