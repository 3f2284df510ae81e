"""VRFs without BGP: the table of each, its NICs, and how what is steered in it gets out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv6Address

from srv6lab.plan.nodes import PlainVrf, PlannedNode
from srv6lab.topology.model import Node
from srv6lab.topology.steering import Steering


def plan_vrfs(said: Node, node: PlannedNode, steering: Sequence[Steering]) -> tuple[PlainVrf, ...]:
    """Those of a node, in the order of the file. `steering` is all of its own, and what exercises apply: the ways out
    stand from the beginning."""
    found = []
    for name, table in said.vrf_tables.items():
        mine = (one for one in steering if one.match.vrf == name)
        firsts = dict.fromkeys(each.segments[0] for one in mine for _, each in one.lists)
        nics = tuple(nic.name for nic in node.nics if nic.vrf == name)
        found.append(PlainVrf(name, table, nics, tuple(_exits(node, firsts))))
    return tuple(found)


def _exits(node: PlannedNode, firsts: dict[IPv6Address, None]) -> Iterator[tuple[IPv6Address, IPv6Address]]:
    """Those to which there is a way, each with the node's tunnel source, what FRR tells the kernel, or the address of the
    NIC towards it."""
    by_frr = node.routing.source if node.routing else None
    addresses = {nic.name: one.ip for nic in node.nics for one in reversed(nic.addresses) if one.version == 6}
    for segment in firsts:
        source = node.tunnel_source or by_frr or addresses.get(node.egress_nic(segment) or "")
        if isinstance(source, IPv6Address):
            yield segment, source
