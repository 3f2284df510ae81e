"""The prefixes that BGP brings to a node outside of VPNs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv6Network

from srv6lab.evidence.packets import Point
from srv6lab.plan.converged.spf import learned
from srv6lab.plan.converged.values import Learned, Ways
from srv6lab.plan.nodes import Nic, Plan, PlannedNode


def of_other_as(plan: Plan, node: PlannedNode, ways: Ways, ends: Mapping[Point, Nic]) -> Iterator[Learned]:
    """What the other ASes announce: over the border from the node there, else by the ways to that node."""
    for border in plan.nodes:
        for networks, near, there in _borders(plan, border, ends):
            if border is node:
                yield from (learned(prefix, [(near, there)]) for prefix in networks)
            elif _hands_on(border) and (found := ways(border.name)):
                yield from (learned(prefix, found) for prefix in networks)


def _hands_on(node: PlannedNode) -> bool:
    """Whether it tells its own domain what BGP has brought."""
    if node.routing is None:
        return False
    inside = (node.routing.isis, *(one for one in node.routing.ospf if one.version == 3))
    return any(one is not None and "bgp" in one.redistribute for one in inside)


def _borders(
    plan: Plan, node: PlannedNode, ends: Mapping[Point, Nic]
) -> Iterator[tuple[tuple[IPv6Network, ...], Nic, Nic]]:
    """The networks that each neighbor in another AS announces, and the two ends of the link to it."""
    bgp = node.routing.bgp if node.routing else None
    for one in bgp.neighbors if bgp else ():
        there = plan.node(one.node).routing
        if there is None or there.bgp is None or "ipv6" not in one.families or one.source:
            continue
        for nic in node.nics:
            for far in (ends[point] for point in nic.peers if point.node == one.node):
                yield there.bgp.networks, nic, far
