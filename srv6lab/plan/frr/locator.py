"""The parts of the SIDs that FRR of a node hands out."""

from __future__ import annotations

from srv6lab.topology.model import Node
from srv6lab.topology.routing.locator import SidStructure
from srv6lab.topology.routing.vrf import Vrf
from srv6lab.topology.sid_structure import function_in
from srv6lab.topology.sid_structure import structure_of as structure_by_sids


def structure_of(node: Node) -> SidStructure | None:
    """The parts of the SIDs in a node's locator: what the author says, else what fits its VPNs."""
    if node.locator is None or node.sid_structure:
        return node.sid_structure
    return structure_by_sids(node.locator, [vrf.sid for vrf in node.vpns.values()])


def function_of(node: Node, vrf: Vrf) -> int:
    structure = structure_of(node)
    if node.locator is None or structure is None:
        return 0
    return function_in(node.locator, vrf.sid, structure.function) or 0
