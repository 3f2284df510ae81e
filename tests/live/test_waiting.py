"""Waiting until a lab has converged and elected: for what isn't there yet, which is named; and giving up."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import pytest

from srv6lab.errors import NodeError
from srv6lab.host.command import Completed, Late
from srv6lab.live import wait_for_policies, wait_for_routes
from srv6lab.live.lacking import Wanted, missing
from srv6lab.live.node_state import NodeState, read
from srv6lab.live.survey import survey
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.predict.policies import elect
from srv6lab.topology.actions import Action
from tests.conftest import silent
from tests.fake_provider import Fake, standing
from tests.fork import GOLD, fork
from tests.small import planned

PAIR = """
name: pair
nodes:
  a: {role: router, router_id: 192.0.2.1, loopback: "2001:db8::a/128", locator: "fc00:0:a::/48", isis: {instance: core, net: 49.0000.0000.000a.00}}
  b: {role: router, router_id: 192.0.2.2, loopback: "2001:db8::b/128", locator: "fc00:0:b::/48", isis: {instance: core, net: 49.0000.0000.000b.00}}
links: [{name: ab, prefix: "2001:db8:1::/64", isis: {}, endpoints: ["a:eth1", "b:eth1"]}]
"""


def says(plan: Plan, node: PlannedNode, state: str = "Up", withdrawn: Collection[str] = ()) -> str:
    """What a router of PAIR says that knows all that it must."""
    assert node.routing and node.routing.isis and node.locator
    (nic,) = node.routing.isis.nics
    sids = [] if node.name in withdrawn else [("1", "End"), ("2", "End.X")]
    bound = [
        {
            "dst": str(node.locator.network_address + int(number)),
            "dev": "sr0",
            "protocol": "isis",
            "encap": {"encap_type": "seg6local", "action": action},
        }
        for number, action in sids
    ]
    learned = [
        {"dst": str(one.prefix), "dev": one.nic} for one in expected_routes(plan, withdrawn)[node.name].routes
    ]
    isis = f" {nic.neighbors[0].node}  {nic.nic}  2  {state}  10  2020.2020.2020"
    answers = ["", isis, "{}", "{}", json.dumps(bound + learned), "[]"]
    return "".join(f"{answer}\n--end of answer--\n" for answer in answers)


class TestRoutes:
    plan = planned(PAIR)

    def test_what_is_waited_for_is_named_once_and_who_has_it_is_not_asked_again(self, tmp_path: Path) -> None:
        fake, said = Fake(), list[str]()
        one = standing(fake, self.plan, tmp_path, {"b": says(self.plan, self.plan.node("b"))})
        late = says(self.plan, self.plan.node("a"), "Initializing")
        fake.tell("a", "", late, late, says(self.plan, self.plan.node("a")))
        wait_for_routes.wait(one, self.plan, said.append)
        assert said == [
            "waiting for IS-IS adjacencies: a has no IS-IS adjacency with b on eth1",
            "converged",
        ]
        assert sorted(node for node, _ in fake.asked[:2]) == ["a", "b"]
        assert [node for node, _ in fake.asked[2:]] == ["a", "a"]

    def test_what_is_still_missing_in_the_end_is_told(self, tmp_path: Path) -> None:
        told = {node.name: says(self.plan, node) for node in self.plan.nodes}
        told["a"] = "--- x\n+++ y\n@@ -3,0 +3 @@\n+ip router-id 9.9.9.9" + says(
            self.plan, self.plan.node("a"), "Down"
        )
        one = standing(Fake(), self.plan, tmp_path, told)
        with pytest.raises(NodeError) as caught:
            wait_for_routes.wait(one, self.plan, silent, patience=0)
        assert str(caught.value) == (
            "not converged after 0 s, IS-IS adjacencies are missing\n"
            "  a has no IS-IS adjacency with b on eth1\n"
            "  FRR of a isn't as Day0 left it: `ip router-id 9.9.9.9` is new\n"
            "  mend: the lab is still up: invoke connect lab=pair --node a, then vtysh"
        )

    def test_what_a_withdrawn_locator_brought_must_be_gone(self, tmp_path: Path) -> None:
        fake = Fake()
        whole = {node.name: says(self.plan, node) for node in self.plan.nodes}
        gone = {node.name: says(self.plan, node, withdrawn={"b"}) for node in self.plan.nodes}
        one = standing(fake, self.plan, tmp_path, gone)
        wait_for_routes.wait(one, self.plan, silent, {"b"}, patience=0)
        for node, text in whole.items():
            fake.tell(node, "", text)
        with pytest.raises(NodeError, match="a still has a route to fc00:0:b::/48"):
            wait_for_routes.wait(one, self.plan, silent, {"b"}, patience=0)

    @pytest.mark.parametrize(
        ("there", "words"),
        [
            ({"type": "blackhole", "dev": "lo"}, ", but a blackhole, laid by hand"),
            ({"dev": "eth9", "protocol": "isis"}, ", but one by eth9"),
            ({"dst": "fc00:0:c::/48", "dev": "eth9"}, ""),
        ],
    )
    def test_what_is_in_the_place_of_a_route_is_told(self, there: dict[str, str], words: str) -> None:
        lacks = "fc00:0:b::/48"
        routes = json.dumps([{"dst": lacks, **there}])
        said = "".join(f"{answer}\n--end of answer--\n" for answer in ("", "", "{}", "{}", routes, "[]"))
        node, wanted = self.plan.node("a"), expected_routes(self.plan)["a"]
        found = missing(node, Wanted(wanted), read(node, said))
        (line,) = [one.what for one in found if f"has no route to {lacks}" in one.what]
        assert line == f"a has no route to {lacks} by eth1{words}"

    def test_what_is_steered_into_policies_is_the_agents(self) -> None:
        """Its route stands where IS-IS' would; of a prefix beside it IS-IS' is missing."""
        steers = """
policies: [{headend: a, color: 1, endpoint: "2001:db8::b", candidate_paths: [{segment_lists: [{segments: ["fc00:0:b::e"]}]}]}]
local_sids: [{node: b, sid: "fc00:0:b::e", behavior: End.DT6, table: 254}]
steering: [{headend: a, match: {prefix: "2001:db8::b/128"}, to: {endpoint: "2001:db8::b", colors: [1], sid: "fc00:0:b::e"}}]
"""
        for text, lacks in ((PAIR, "fc00:0:b::/48 2001:db8::b/128"), (PAIR + steers, "fc00:0:b::/48")):
            plan = planned(text)
            wanted = Wanted(expected_routes(plan)["a"])
            found = missing(plan.node("a"), wanted, NodeState())
            routes = [one.what.split()[5] for one in found if "has no route to" in one.what]
            assert sorted(routes) == sorted(lacks.split())

    def test_a_node_that_cannot_be_asked_is_told(self, tmp_path: Path) -> None:
        fake = Fake()
        one = standing(fake, self.plan, tmp_path)
        fake.tell("a", "", Completed(1, "", "no bash"))
        with pytest.raises(NodeError, match="a can't be asked: no bash"):
            wait_for_routes.wait(one, self.plan, silent)

    def test_a_dead_daemon_is_not_waited_for(self, tmp_path: Path) -> None:
        fake = Fake()
        told = {node.name: says(self.plan, node) for node in self.plan.nodes}
        told["a"] += "mgmtd S\nzebra S\nstaticd S\nisisd T\n\n--end of answer--\n"
        one = standing(fake, self.plan, tmp_path, told)
        with pytest.raises(
            NodeError, match="daemons of FRR are missing\n  a: isisd doesn't answer: it is stopped"
        ):
            wait_for_routes.wait(one, self.plan, silent)
        assert len(fake.asked) == 4  # once, and once more to say what else is amiss

    def test_a_node_that_does_not_answer_costs_its_own_answer_only(self, tmp_path: Path) -> None:
        fake = Fake()
        one = standing(fake, self.plan, tmp_path, {"b": says(self.plan, self.plan.node("b"))})
        fake.tell("a", "", Late("no answer in 20 s: bash -c a long script"))
        seen = survey(one, self.plan)
        assert seen.lacks() == [("a", "a: can't be asked: no answer in 20 s")]
        assert list(seen.bound()) == ["b"] and len(seen.bound()["b"]) == 2

    def test_a_lab_without_routing_is_not_asked(self, tmp_path: Path) -> None:
        wait_for_routes.wait(standing(Fake(), planned(), tmp_path), planned(), silent)

    def test_a_survey_is_of_all_nodes_at_one_time(self, tmp_path: Path) -> None:
        told = {node.name: says(self.plan, node) for node in self.plan.nodes}
        seen = survey(standing(Fake(), self.plan, tmp_path, told), self.plan)
        assert (seen.lacks(), seen.drifts(), seen.mechanisms()) == ([], [], {})
        assert seen.bound()["a"] == [("fc00:0:a::1", "End"), ("fc00:0:a::2", "End.X")]
        told["b"] = says(self.plan, self.plan.node("b"), "Down")
        seen = survey(standing(Fake(), self.plan, tmp_path, told), self.plan)
        assert seen.lacks() == [("b", "b has no IS-IS adjacency with a on eth1")]


class TestPolicies:
    plan = fork(GOLD, "upper-end")
    actions: tuple[Action, ...] = plan.exercises[0].apply

    def told(self, *actions: Action) -> str:
        return json.dumps(wait_for_policies.told_by(elect(self.plan, actions)["gate"]))

    def test_headends_are_asked_until_they_agree_with_the_model(self, tmp_path: Path) -> None:
        fake = Fake()
        one = standing(fake, self.plan, tmp_path)
        fake.tell(
            "gate", "cat /var/lib/srv6lab/policies/state.json", "", self.told(), self.told(*self.actions)
        )
        assert wait_for_policies.wait(one, self.plan, self.actions) == []
        assert len(fake.asked) == 3

    def test_what_differs_in_the_end_is_told_with_its_node(self, tmp_path: Path) -> None:
        one = standing(Fake(), self.plan, tmp_path, {"gate": self.told()})
        found = wait_for_policies.wait(one, self.plan, self.actions, patience=0)
        assert found and {node for node, _ in found} == {"gate"}
        assert "policy 10 to fc00:b::1 of gate has" in found[0][1]

    @pytest.mark.parametrize("state", ["", "State:\tT (stopped)\n"])
    def test_what_a_stopped_agent_said_is_not_believed(self, tmp_path: Path, state: str) -> None:
        fake = Fake()
        one = standing(fake, self.plan, tmp_path, {"gate": state + self.told()})
        found = wait_for_policies.wait(one, self.plan)
        assert found == ([("gate", "the agent of gate doesn't answer: it is stopped")] if state else [])
        assert len(fake.asked) == 1

    def test_an_agent_that_cannot_be_asked_is_named(self, tmp_path: Path) -> None:
        one = standing(Fake(), self.plan, tmp_path)
        assert isinstance(one.provider, Fake)
        one.provider.tell("gate", "", Late("no answer in 10 s: sh -c a script"))
        found = wait_for_policies.wait(one, self.plan, patience=0)
        assert found == [("gate", "the agent of gate can't be asked: no answer in 10 s")]

    def test_up_names_what_was_elected_instead(self, tmp_path: Path) -> None:
        said: list[str] = []
        wait_for_policies.up(
            standing(Fake(), self.plan, tmp_path, {"gate": self.told()}), self.plan, said.append
        )
        assert said == ["headends have elected"]
        other = standing(Fake(), self.plan, tmp_path, {"gate": '"no document"'})
        with pytest.raises(NodeError, match="gate has elected nothing yet"):
            wait_for_policies.up(other, self.plan, said.append, patience=0)

    def test_a_lab_without_policies_is_not_asked(self, tmp_path: Path) -> None:
        assert wait_for_policies.wait(standing(Fake(), planned(), tmp_path), planned()) is None
