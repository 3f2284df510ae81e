"""Next hops of VPN routes that are reached by several ways of the same cost."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.plan.converged import Converged, converged
from srv6lab.plan.converged.rib import Way
from srv6lab.plan.converged.vpn import next_hops_of, vrfs_of
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.scalars import Address


def parted_vpns(
    plan: Plan, whole: Converged | None = None
) -> Iterator[tuple[PlannedNode, str, Address, Way]]:
    """Each with its node, the VRF, and the first of its ways; `whole` is what all know, if somebody has found it out."""
    if not any(vrfs_of(node) for node in plan.nodes):
        return
    whole = whole or converged(plan)
    for node in plan.nodes:
        for vrf in vrfs_of(node):
            for hop in dict.fromkeys(next_hops_of(node, vrf, whole.tables)):
                ways = whole.ribs[node.name].ways(hop)
                if len(ways) > 1:
                    yield node, vrf.name, hop, ways[0]
