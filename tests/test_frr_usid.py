"""Locators of a router with FRR, the SIDs that FRR binds in them, and what the model makes of carriers through those."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import pytest

from srv6lab.errors import TopologyError
from srv6lab.evidence.packets import Place
from srv6lab.live.lacking import Wanted, missing
from srv6lab.live.node_state import NodeState, Route
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import Plan
from srv6lab.predict.fib import Sid
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.render.day0 import day0_scripts
from tests.small import planned

LAB = """\
name: usid
nodes:
  one:
    role: router
    router_id: 192.0.2.1
    loopback: "fc00:1::1/128"
    locators:
      u: {prefix: "fcbb:bbbb:1::/48", behavior: usid}
      w: {prefix: "fcbc:0:1::/64", format: uncompressed-f4024}
      own: {prefix: "fc00:1::/48", block: 32, node: 16, function: 8}
    isis: {instance: core, net: 49.0000.0000.0001.00}
    routes: [{prefix: "2001:9::/64", segments: ["fcbb:bbbb:2:1:fe40:2:d6::"]}]
  two:
    role: router
    router_id: 192.0.2.2
    locators: {u: {prefix: "fcbb:bbbb:2::/48", format: usid-f3216}, free: {prefix: "fcbb:bbbb:22::/48", behavior: usid}}
    isis: {instance: core, net: 49.0000.0000.0002.00}
links:
  - {name: link, prefix: "2001:12::/64", isis: {}, endpoints: ["one:eth1", "two:eth1"]}
local_sids:
  - {node: one, sid: "fcbb:bbbb:1:fe40::", behavior: End.X, nh6: "2001:12::2", flavors: [NEXT-CSID], by: frr}
  - {node: one, sid: "fcbb:bbbb:fe40::", behavior: End.X, nh6: "2001:12::2", flavors: [NEXT-CSID], by: frr}
  - {node: one, sid: "fcbc:0:1:0:ff01::", behavior: End.DT6, table: 254, by: frr}
  - {node: two, sid: "fcbb:bbbb:22::", behavior: End, flavors: [NEXT-CSID], by: frr}
  - {node: two, sid: "fcbb:bbbb:2:d6::", behavior: End.DT6, table: 254}
exercises: []
"""


@pytest.fixture(scope="module")
def lab() -> Plan:
    return planned(LAB)


def block(lab: Plan, name: str, begin: str) -> list[str]:
    """The lines of FRR's configuration from one on that begins so, to its end."""
    lines = day0_scripts(lab)[f"day0/{name}.sh"].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(begin))
    last = next(number for number in range(first, len(lines)) if lines[number] == "!")
    return [line.strip() for line in lines[first:last]]


def test_each_locator_has_its_format_or_its_lengths(lab: Plan) -> None:
    told = block(lab, "one", "segment-routing")
    assert told[told.index("locators") + 1 :][:12] == [
        "locator u",
        "prefix fcbb:bbbb:1::/48",
        "format usid-f3216",
        "exit",
        "locator w",
        "prefix fcbc:0:1::/64",
        "format uncompressed-f4024",
        "exit",
        "locator own",
        "prefix fc00:1::/48 block-len 32 node-len 16 func-bits 8",
        "exit",
        "exit",
    ]
    assert "source-address fc00:1::1" in told


def test_what_no_end_takes_is_closed(lab: Plan) -> None:
    script = day0_scripts(lab)["day0/one.sh"].splitlines()
    assert "ipv6 route fcbc:0:1::/64 blackhole" in script and "ipv6 route fc00:1::/48 blackhole" in script
    assert "ipv6 route fcbb:bbbb:1::/48 blackhole" not in script  # it would take the carriers from uN
    assert "ipv6 route fcbb:bbbb:22::/48 blackhole" not in day0_scripts(lab)["day0/two.sh"].splitlines()


def test_static_sids_are_told_with_their_lengths(lab: Plan) -> None:
    lines = [line.strip() for line in day0_scripts(lab)["day0/one.sh"].splitlines()]
    assert [line for line in lines if line.startswith("sid ")] == [
        "sid fcbb:bbbb:1:fe40::/64 locator u behavior uA interface $eth1 nexthop 2001:12::2",
        "sid fcbb:bbbb:fe40::/48 locator u behavior uA interface $eth1 nexthop 2001:12::2",
        "sid fcbc:0:1:0:ff01::/80 locator w behavior uDT6 vrf default",
    ]
    assert not any("encap seg6local" in line for line in lines)
    assert "ipv6 route 100::/64 blackhole" in lines
    assert "locator u" in block(lab, "one", "router isis core")


def taker(lab: Plan, address: str) -> Sid:
    found = ModeledLab(lab).namespace(Place("one")).tables[254].lookup(ip_address(address))
    assert found and isinstance(found[1][0], Sid), found
    return found[1][0]


@pytest.mark.parametrize(
    ("came", "left"),
    [
        ("fcbb:bbbb:1:2:d4::", "fcbb:bbbb:2:d4::"),  # uN, 48 bits
        ("fcbb:bbbb:1:fe40:2:d4::", "fcbb:bbbb:2:d4::"),  # uA behind the node, 64 bits
        ("fcbb:bbbb:fe40:2:d4::", "fcbb:bbbb:2:d4::"),  # uA in the block, 48 bits
    ],
)
def test_a_carrier_moves_up_by_what_its_sid_takes(lab: Plan, came: str, left: str) -> None:
    csid = taker(lab, came).local.next_csid
    assert csid and csid.moved_up(IPv6Address(came)) == IPv6Address(left)


def test_the_end_of_isis_is_no_sid_where_its_locator_is_withdrawn(lab: Plan) -> None:
    from srv6lab.topology.actions.withdraw import WithdrawAction

    action = WithdrawAction.model_validate({"withdraw": {"node": "one"}})
    found = ModeledLab(lab, (action,)).namespace(Place("one")).tables[254]
    assert found.lookup(ip_address("fcbb:bbbb:1:2:d4::")) is None
    assert "fcbb:bbbb:1::/48" not in {str(one.prefix) for one in expected_routes(lab, ("one",))["two"].routes}
    assert "fcbb:bbbb:1::/48" in {str(one.prefix) for one in expected_routes(lab)["two"].routes}


def test_a_carrier_over_a_sid_that_nobody_has_is_refused() -> None:
    with pytest.raises(TopologyError, match="no node has the local SID fcbb:bbbb:3:d6::, to which"):
        planned(LAB.replace("2:1:fe40:2:d6::", "2:1:fe40:3:d6::"))
    with pytest.raises(TopologyError, match="no node has the local SID fcbb:bbbb:fe41:"):
        planned(LAB.replace("2:1:fe40:2:d6::", "2:1:fe41:2:d6::"))


def test_up_waits_for_static_sids(lab: Plan) -> None:
    node = lab.node("one")
    static = [one for one in node.local_sids if one.by == "static"]
    known = NodeState(routes=tuple(Route(one.prefix, one.frr_nic, "static") for one in static[1:]))
    found = [one.what for one in missing(node, Wanted(ExpectedRoutes()), known)]
    assert "one: the static SID fcbb:bbbb:1:fe40::/64 (uA) isn't in the kernel" in found
    assert not any("ff01" in one for one in found)
