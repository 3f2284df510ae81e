"""VRFs without BGP: the table of each, its NICs, and how what is steered in it gets out."""

from __future__ import annotations

from collections.abc import Sequence

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
        leaves = dict.fromkeys(nic for nic in map(node.egress_nic, firsts) if nic)
        nics = tuple(nic.name for nic in node.nics if nic.vrf == name)
        found.append(PlainVrf(name, table, nics, tuple(firsts), tuple(leaves)))
    return tuple(found)
