"""A link that an exercise cuts, as routing protocols and the model see it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from srv6lab.live.lacking import Wanted, missing
from srv6lab.live.node_state import NodeState
from srv6lab.plan.actions import after
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import day0_scripts
from srv6lab.topology.actions import Action
from tests.conftest import REPOSITORY
from tests.small import planned

TRIANGLE = """
name: triangle
nodes:
  a: {role: router, router_id: 192.0.2.1, loopback: "2001:db8::a/128", locator: "fc00:0:a::/48", isis: {instance: core, net: 49.0000.0000.000a.00}BGP}
  b: {role: router, router_id: 192.0.2.2, loopback: "2001:db8::b/128", locator: "fc00:0:b::/48", isis: {instance: core, net: 49.0000.0000.000b.00}}
  c: {role: router, router_id: 192.0.2.3, loopback: "2001:db8::c/128", locator: "fc00:0:c::/48", isis: {instance: core, net: 49.0000.0000.000c.00}PEER}
  h: {role: host}
links:
  - {name: ab, prefix: "2001:db8:1::/64", isis: {}, endpoints: ["a:eth1", "b:eth1"]}
  - {name: bc, prefix: "2001:db8:2::/64", isis: {}, endpoints: ["b:eth2", "c:eth1"]}
  - {name: ac, prefix: "2001:db8:3::/64", isis: {}, endpoints: ["a:eth2", "c:eth2"]}
  - {name: site, prefix: "2001:db8:4::/64", endpoints: ["c:eth3", "h:eth1"]}
exercises:
  - name: lost
    description: one link is lost
    apply: [{cut: {link: LINK}}]
    probes: [{id: ping, from: a, to: c, icmp: 1}]
    expect: {packets: []}
"""


STEERED = (
    TRIANGLE.replace("cut: {link: LINK}", 'link: {at: "a:eth1", state: down}')
    .replace("BGP", ', routes: [{prefix: "fc00:0:c:5::/64", via: "2001:db8:3::2"}]')
    .replace("PEER", "")
    .replace("from: a, to: c", "from: a, to: h")
    .replace("{role: host}", '{role: host, routes: [{prefix: "::/0", via: "2001:db8:4::1"}]}')
    + """
local_sids:
  - {node: b, sid: "fc00:0:b::e", behavior: End}
  - {node: c, sid: "fc00:0:c::d6", behavior: End.DX6, nh6: "2001:db8:4::2"}
steering:
  - {headend: a, match: {prefix: "2001:db8:4::/64"}, to: {segments: ["fc00:0:b::e", "fc00:0:c::d6"]}}
  - {headend: a, match: {prefix: "2001:db8:5::/64"}, to: {segments: ["fc00:0:c:5::d6"]}}
  - {headend: a, match: {prefix: "2001:db8:6::/64"}, to: {segments: ["2001:db8:1::2"]}}
external: ["fc00:0:c:5::/64", "2001:db8:1::2/128"]
"""
)


def triangle(link: str, *, bgp: bool = False) -> tuple[Plan, tuple[Action, ...]]:
    text = TRIANGLE.replace("LINK", link)
    for word, other in (("BGP", "c"), ("PEER", "a")):
        peer = f", bgp: {{as: 65001, neighbors: [{{node: {other}, families: [ipv6]}}]}}"
        text = text.replace(word, peer if bgp else "")
    plan = planned(text)
    return plan, plan.exercises[0].apply


def ways(plan: Plan, node: str, prefix: str) -> list[str]:
    return [one.nic for one in expected_routes(plan)[node].routes if one.prefix == ip_network(prefix)]


def test_isis_finds_another_way_and_still_tells_of_the_link() -> None:
    plan, actions = triangle("ab")
    cut = after(plan, actions).plan
    assert (ways(plan, "a", "fc00:0:b::/48"), ways(cut, "a", "fc00:0:b::/48")) == (["eth1"], ["eth2"])
    assert (ways(plan, "c", "2001:db8:1::/64"), ways(cut, "c", "2001:db8:1::/64")) == (
        ["eth1", "eth2"],
        ["eth1", "eth2"],
    )  # its ends are up
    routes = ModeledLab(plan, actions)._learned["a"].routes
    assert {one.nic for one in routes if one.prefix == ip_network("fc00:0:b::/48")} == {"eth2"}


def test_a_link_without_routing_changes_no_route() -> None:
    plan, actions = triangle("site")
    assert expected_routes(after(plan, actions).plan) == expected_routes(plan)


def test_a_neighbor_behind_it_is_not_waited_for() -> None:
    plan, actions = triangle("ab")
    cut = after(plan, actions).plan
    wanted = Wanted(expected_routes(cut)["a"])
    said = [one.what for one in missing(cut.node("a"), wanted, NodeState()) if "adjacency" in one.what]
    assert said == ["a has no IS-IS adjacency with c on eth2"]


@pytest.mark.parametrize(("link", "kept_back"), [("ab", 2), ("site", 0)])
def test_hellos_are_kept_back_where_isis_runs(link: str, kept_back: int) -> None:
    plan, (action,) = triangle(link)
    scripts = [change.do for change in changes_of(plan, action)]
    assert len(scripts) == 2
    assert sum("hook egress" in one for one in scripts) == kept_back
    assert all("hook ingress" in one for one in scripts)


@pytest.mark.parametrize("link", ["ab", "site"])
def test_what_bgp_makes_of_it_is_not_modeled(link: str) -> None:
    plan, actions = triangle(link, bgp=True)
    lab = ModeledLab(plan, actions)
    assert lab._unmodeled["b"] == f"what BGP makes of it that link {link} is cut isn't modeled"
    assert "h" not in lab._unmodeled


def test_without_bgp_it_is() -> None:
    plan, actions = triangle("ab")
    assert ModeledLab(plan, actions)._unmodeled == {}


def test_a_policy_towards_what_isis_brings_has_a_device_that_is_never_down() -> None:
    """A static route's, and a link's, have the NIC, with which Linux takes them away."""
    plan = planned(STEERED)
    assert [one.nic for one in plan.node("a").steering] == ["sr0", "eth2", "eth1"]
    without = after(plan, plan.exercises[0].apply).plan
    assert [one.nic for one in without.node("a").steering] == ["sr0", "eth2"]
    texts = day0_scripts(plan)
    assert "segs fc00:0:b::e,fc00:0:c::d6 dev sr0" in texts["day0/a.sh"]


def test_its_packets_go_the_way_that_is_left() -> None:
    (found,) = predict(planned(STEERED), "lost")
    trace = found.linux[0]
    assert [str(hop.point) for hop in trace.hops][:3] == ["a:eth2", "c:eth2", "c:eth1"]
    assert trace.end.delivered


def test_a_headend_with_two_ways_to_its_first_segment_may_take_both() -> None:
    """The kernel looks the outer packet up, and the route that encapsulates may remember for all flows what it has found."""
    plan = planned((REPOSITORY / "tests/labs/more/isis-first-hops.yml").read_text("utf-8"))
    assert [one.nic for one in plan.node("entry").steering] == ["sr0"]
    (found,) = predict(plan, "flows")
    left = {str(hop.point) for trace in found.linux for hop in trace.hops if hop.point.node == "entry"}
    assert left == {"entry:eth1", "entry:eth2", "entry:eth3"}
