"""Which routes OSPF must have brought, and what `up` waits for, in labs of the tests' own."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address

import pytest

from srv6lab.errors import TopologyError
from srv6lab.live.lacking import Wanted, missing
from srv6lab.live.neighbors import BfdSession, OspfAdjacency
from srv6lab.live.node_state import NodeState
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.replaced import without_nics
from srv6lab.render.day0 import render
from tests.small import planned

# a – b – d and a – c – d in the backbone; e hangs at d, in an area of its own.
SQUARE = """\
name: square
nodes:
  a: {role: router, router_id: 192.0.2.1, loopback: ["fc00:0:1::1/128", 192.0.2.1/32], locator: "fc00:0:1::/48", ospf: {}, ospf6: {}}
  b: {role: router, router_id: 192.0.2.2, loopback: ["fc00:0:2::1/128", 192.0.2.2/32], locator: "fc00:0:2::/48", ospf: {}, ospf6: {}}
  c: {role: router, router_id: 192.0.2.3, loopback: ["fc00:0:3::1/128", 192.0.2.3/32], locator: "fc00:0:3::/48", ospf: {}, ospf6: {}}
  d: {role: router, router_id: 192.0.2.4, loopback: ["fc00:0:4::1/128", 192.0.2.4/32], locator: "fc00:0:4::/48", ospf: {}, ospf6: {}}
  e: {role: router, router_id: 192.0.2.5, loopback: ["fc00:0:5::1/128", 192.0.2.5/32], locator: "fc00:0:5::/48", ospf: {area: 0.0.0.1}, ospf6: {area: 0.0.0.1, redistribute: [connected]}}
  h: {role: host}
links:
  - {name: ab, prefix: ["2001:db8:1::/64", 10.0.1.0/24], ospf: {}, ospf6: {cost: 10}, bfd: {}, endpoints: ["a:eth1", "b:eth1"]}
  - {name: ac, prefix: ["2001:db8:2::/64", 10.0.2.0/24], ospf: {cost: [20, 1]}, ospf6: {}, endpoints: ["a:eth2", "c:eth1"]}
  - {name: bd, prefix: ["2001:db8:3::/64", 10.0.3.0/24], ospf: {}, ospf6: {}, endpoints: ["b:eth2", "d:eth1"]}
  - {name: cd, prefix: ["2001:db8:4::/64", 10.0.4.0/24], ospf: {}, ospf6: {network: broadcast}, endpoints: ["c:eth2", "d:eth2"]}
  - {name: de, prefix: ["2001:db8:5::/64", 10.0.5.0/24], ospf: {area: 0.0.0.1}, ospf6: {area: 0.0.0.1}, endpoints: ["d:eth3", "e:eth1"]}
  - {name: eh, prefix: ["2001:db8:6::/64", 10.0.6.0/24], ospf: {passive: true, area: 0.0.0.1}, endpoints: ["e:eth2", "h:eth1"]}
"""


def ways(text: str, node: str, prefix: str) -> list[str]:
    """The NICs by which a prefix is reached."""
    return [one.nic for one in expected_routes(planned(text))[node].routes if str(one.prefix) == prefix]


def test_all_ways_that_are_equally_short_lead_to_what_an_area_has() -> None:
    for prefix in ("fc00:0:4::1/128", "fc00:0:4::/48", "2001:db8:3::2/128"):
        assert ways(SQUARE, "a", prefix) == ["eth1", "eth2"]
    assert ways(SQUARE, "a", "2001:db8:3::/64") == ["eth1"]


def test_each_version_has_its_own_costs_and_an_end_its_own() -> None:
    assert ways(SQUARE, "a", "192.0.2.4/32") == ["eth1"]
    assert ways(SQUARE, "d", "192.0.2.1/32") == ["eth2"]
    assert ways(SQUARE, "d", "fc00:0:1::1/128") == ["eth1", "eth2"]


def test_only_point_to_point_links_of_version_3_tell_of_their_addresses() -> None:
    assert ways(SQUARE, "a", "2001:db8:4::2/128") == []
    assert ways(SQUARE, "a", "10.0.3.2/32") == []


def test_what_is_in_other_areas_comes_over_the_border_router() -> None:
    for prefix in ("fc00:0:5::1/128", "fc00:0:5::/48", "2001:db8:5::/64", "2001:db8:6::/64"):
        assert ways(SQUARE, "a", prefix) == ["eth1", "eth2"]
    assert ways(SQUARE, "a", "10.0.6.0/24") == ["eth1"]
    assert ways(SQUARE, "e", "192.0.2.1/32") == ["eth1"]


def test_a_part_of_the_backbone_that_nobody_leads_to_is_not_known() -> None:
    text = SQUARE.replace("ospf: {cost: [20, 1]}, ", "").replace("10.0.3.0/24], ospf: {}", "10.0.3.0/24]")
    assert ways(text, "e", "192.0.2.3/32") == ["eth1"]
    assert ways(text, "e", "192.0.2.1/32") == []


def test_a_link_that_a_node_has_itself_is_learned_from_nobody() -> None:
    assert ways(SQUARE, "d", "2001:db8:5::/64") == []
    assert ways(SQUARE, "b", "2001:db8:1::/64") == []


def test_what_several_bring_from_outside_is_reached_at_the_nearest() -> None:
    text = SQUARE.replace(
        'locator: "fc00:0:2::/48", ospf: {}, ospf6: {}',
        'locator: "fc00:0:2::/48", ospf: {}, ospf6: {redistribute: [connected]}',
    )
    text += '  - {name: be, prefix: "2001:db8:7::/64", endpoints: ["b:eth3", "e:eth3"]}\n'
    assert ways(text, "a", "2001:db8:7::/64") == ["eth1"]
    assert ways(text, "c", "2001:db8:7::/64") == ["eth1", "eth2"]
    assert ways(text, "d", "2001:db8:7::/64") == ["eth1", "eth3"]


def test_a_nic_that_is_down_takes_its_ways_along() -> None:
    found = planned(SQUARE)
    nodes = tuple(
        without_nics(node, {"eth1"} if node.name == "a" else (), {"eth1"} if node.name == "b" else ())
        for node in found.nodes
    )
    routes = expected_routes(replace(found, nodes=nodes))["a"].routes
    assert {one.nic for one in routes} == {"eth2"}


@pytest.mark.parametrize("redistribute", ["", "static", "connected, static, bgp"])
def test_of_static_routes_the_locator_alone_is_told_unless_all_are_asked_for(redistribute: str) -> None:
    text = SQUARE.replace("ospf6: {}}", f"ospf6: {{redistribute: [{redistribute}]}}}}", 1)
    script = render(planned(text))["day0/a.sh"]
    assert (" redistribute static route-map locators" in script) == ("static" not in redistribute)
    assert ("\n redistribute static\n" in script) == ("static" in redistribute)


class TestWhatUpWaitsFor:
    node = planned(SQUARE).node("a")
    wanted = Wanted(expected_routes(planned(SQUARE))["a"])
    full = tuple(
        OspfAdjacency(nic, IPv4Address(router_id), "full")
        for nic, router_id in (("eth1", "192.0.2.2"), ("eth2", "192.0.2.3"))
    )
    up = (
        BfdSession("eth1", ip_address("fe80::2"), "up"),
        BfdSession("eth1", ip_address("10.0.1.2"), "up"),
    )

    def lacks(self, **known: object) -> list[str]:
        state = replace(NodeState(ospf={2: self.full, 3: self.full}, bfd=self.up), **known)  # type: ignore[arg-type]
        return [one.what for one in missing(self.node, self.wanted, state) if "route" not in one.what]

    def test_nothing_is_missing(self) -> None:
        assert self.lacks() == []

    def test_a_neighbor_is_missing_until_it_is_full(self) -> None:
        begun = (replace(self.full[0], state="exstart"), *self.full[1:])
        assert self.lacks(ospf={2: self.full, 3: begun}) == ["a: b on eth1 is exstart in OSPFv3"]
        assert self.lacks(ospf={2: self.full[:1], 3: self.full}) == ["a: c on eth2 is not heard of in OSPFv2"]
        two_way = (replace(self.full[0], state="2-way"), *self.full[1:])
        assert self.lacks(ospf={2: two_way, 3: self.full}) == ["a: b on eth1 is 2-way in OSPFv2"]

    def test_a_session_of_bfd_is_missing_until_it_is_up(self) -> None:
        down = (replace(self.up[0], state="down"), self.up[1])
        assert self.lacks(bfd=down) == ["a: 0 of 1 BFD sessions on eth1 are up, with b"]
        assert self.lacks(bfd=self.up[:1]) == ["a: the BFD session with b at 10.0.1.2 is not there"]

    def test_neighbors_on_a_lan_may_stay_at_two_way(self) -> None:
        node = planned(SQUARE).node("c")
        states = (
            OspfAdjacency("eth1", IPv4Address("192.0.2.1"), "full"),
            OspfAdjacency("eth2", IPv4Address("192.0.2.4"), "2-way"),
        )
        found = [
            one.what
            for one in missing(node, self.wanted, NodeState(ospf={2: states, 3: states}))
            if "OSPF" in one.what
        ]
        assert found == ["c: d on eth2 is 2-way in OSPFv2"]


BORDER = """\
name: border
nodes:
  a: {role: router, router_id: 192.0.2.1, loopback: "fc00:0:1::1/128", bgp: {as: 65001, neighbors: [{node: b, families: [ipv6]VIA}]}}
  b: {role: router, router_id: 192.0.2.2, loopback: "fc00:0:2::1/128", bgp: {as: 6500N, neighbors: [{node: a, families: [ipv6]VIA}]}}
links: [{name: ab, prefix: "2001:db8:1::/64", bfd: {}, endpoints: ["a:eth1", "b:eth1"]}]
"""


@pytest.mark.parametrize(("via", "other_as"), [("", 2), (", via: link", 1)])
def test_bfd_watches_a_session_of_bgp_over_the_link_itself(via: str, other_as: int) -> None:
    script = render(planned(BORDER.replace("VIA", via).replace("N,", f"{other_as},")))["day0/a.sh"]
    assert " neighbor 2001:db8:1::2 bfd profile eth1\n" in script


def test_bfd_watches_no_session_between_loopbacks() -> None:
    with pytest.raises(TopologyError, match="no routing protocol has neighbors over link ab"):
        planned(BORDER.replace("VIA", "").replace("N,", "1,"))
