"""Which routes the routing protocols must have brought, in labs of the tests' own."""

from __future__ import annotations

import pytest

from srv6lab.errors import TopologyError
from srv6lab.plan.converged import expected_routes
from tests.small import planned

TWICE = """\
name: twice
nodes:
  one: {role: router, loopback: "fc00:1::1/64", router_id: 1.1.1.1, isis: {instance: "1", net: 49.0000.0000.0001.00}}
  two: {role: router, loopback: "fc00:2::1/64", router_id: 2.2.2.2, isis: {instance: "1", net: 49.0000.0000.0002.00}}
links:
  - {name: first, prefix: "2001:1::/64", isis: {metric: 10}, endpoints: ["one:eth1", "two:eth1"]}
  - {name: second, prefix: "2001:2::/64", isis: {metric: 10}, endpoints: ["one:eth2", "two:eth2"]}
"""


def ways(text: str, node: str, prefix: str) -> list[tuple[str, str]]:
    found = expected_routes(planned(text))[node].routes
    return [(str(one.via), one.nic) for one in found if str(one.prefix) == prefix]


def test_two_links_alike_both_lead_to_the_neighbor() -> None:
    assert ways(TWICE, "one", "fc00:2::/64") == [("2001:1::2", "eth1"), ("2001:2::2", "eth2")]


def test_of_two_links_the_shorter_leads_to_the_neighbor() -> None:
    dearer = TWICE.replace('"2001:1::/64", isis: {metric: 10}', '"2001:1::/64", isis: {metric: 11}')
    assert ways(dearer, "one", "fc00:2::/64") == [("2001:2::2", "eth2")]


# one – two – four and one – three – four; five hangs at four.
SQUARE = (
    TWICE.replace("name: twice", "name: square")
    .replace(
        "links:\n",
        "".join(
            f'  {name}: {{role: router, loopback: "fc00:{n}::1/64", router_id: {n}.{n}.{n}.{n},'
            f' isis: {{instance: "1", net: 49.0000.0000.000{n}.00}}}}\n'
            for n, name in ((3, "three"), (4, "four"), (5, "five"))
        )
        + "links:\n",
    )
    .replace('"one:eth2", "two:eth2"', '"one:eth2", "three:eth1"')
)
SQUARE += """\
  - {name: third, prefix: "2001:3::/64", isis: {metric: 10}, endpoints: ["two:eth2", "four:eth1"]}
  - {name: fourth, prefix: "2001:4::/64", isis: {metric: 10}, endpoints: ["three:eth2", "four:eth2"]}
  - {name: fifth, prefix: "2001:5::/64", isis: {metric: 10}, endpoints: ["four:eth3", "five:eth1"]}
"""


def test_all_ways_that_are_equally_short_are_known_however_far() -> None:
    both = [("2001:1::2", "eth1"), ("2001:2::2", "eth2")]
    for prefix in ("fc00:4::/64", "fc00:5::/64", "2001:5::/64"):
        assert ways(SQUARE, "one", prefix) == both
    assert ways(SQUARE, "one", "2001:3::/64") == both[:1]
    assert ways(SQUARE, "five", "2001:1::/64") == [("2001:5::1", "eth1")]
    assert ways(SQUARE, "four", "2001:1::/64") == [("2001:3::1", "eth1")]


def test_what_a_router_steers_itself_is_not_waited_for() -> None:
    """IS-IS knows it too, and FRR leaves it to the policy; the others learn it as before."""
    steers = (
        SQUARE
        + """\
local_sids:
  - {node: five, sid: "fc00:5::e", behavior: End.DT6, table: 254}
steering:
  - {headend: one, match: {prefix: "2001:5::/64"}, to: {segments: ["fc00:5::e"]}}
"""
    )
    assert ways(steers, "one", "2001:5::/64") == []
    assert ways(steers, "two", "2001:5::/64") == ways(SQUARE, "two", "2001:5::/64") != []


def test_a_link_is_reached_over_its_nearer_end_or_both() -> None:
    """Two and three both tell of a link between them."""
    text = (
        SQUARE + '  - {name: rung, prefix: "2001:6::/64", isis: {}, endpoints: ["two:eth3", "three:eth3"]}\n'
    )
    assert ways(text, "one", "2001:6::/64") == [("2001:1::2", "eth1"), ("2001:2::2", "eth2")]
    dearer = text.replace('"2001:2::/64", isis: {metric: 10}', '"2001:2::/64", isis: {metric: 15}')
    assert ways(dearer, "one", "2001:6::/64") == [("2001:1::2", "eth1")]


# A headend at one end of the square, which steers to the other with no route of its own.
STEERED = (
    SQUARE.replace("  five: {role: router,", '  five: {role: router, locator: "fc00:5:5::/64",')
    + """local_sids: [{node: five, sid: "fc00:5:5::d6", behavior: End.DT6, table: 254}]
steering: [{headend: one, match: {prefix: "2001:db8::/32"}, to: {segments: ["fc00:5:5::d6"]}}]
"""
)


def test_a_headend_steers_over_what_isis_brings() -> None:
    (policy,) = planned(STEERED).node("one").steering
    assert policy.nic == "eth1"
    with pytest.raises(TopologyError, match="one has no route to its first segment"):
        planned(STEERED.replace('"2001:5::/64", isis: {metric: 10}', '"2001:5::/64"'))


def test_a_segment_may_be_reached_by_what_bgp_brings() -> None:
    text = """\
name: fabric
nodes:
  left: {role: router, router_id: 10.0.0.1, loopback: "fc00:1::1/128", bgp: {as: 65001, neighbors: [{node: spine, families: [ipv6]}]}}
  right: {role: router, router_id: 10.0.0.2, loopback: "fc00:2::1/128", locator: "fc00:2:0:2::/64", bgp: {as: 65002, networks: ["fc00:2:0:2::/64"], neighbors: [{node: spine, families: [ipv6]}]}}
  spine: {role: router, router_id: 10.0.0.3, bgp: {as: 65000, neighbors: [{node: left, families: [ipv6]}, {node: right, families: [ipv6]}]}}
links:
  - {name: l, prefix: "2001:1::/64", endpoints: ["left:eth1", "spine:eth1"]}
  - {name: r, prefix: "2001:2::/64", endpoints: ["right:eth1", "spine:eth2"]}
local_sids: [{node: right, sid: "fc00:2:0:2::d6", behavior: End.DT6, table: 254}]
steering: [{headend: left, match: {prefix: "2001:db8::/32"}, to: {segments: ["fc00:2:0:2::d6"]}}]
"""
    (policy,) = planned(text).node("left").steering
    assert [str(one) for one in policy.segments] == ["fc00:2:0:2::d6"]
    with pytest.raises(TopologyError, match="left has no route to its first segment"):
        planned(text.replace('networks: ["fc00:2:0:2::/64"], ', ""))
