"""The parts of the SIDs that FRR of a node hands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network

from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.locator import F3216, Locator, SidStructure
from srv6lab.topology.routing.vrf import Vrf
from srv6lab.topology.sid_structure import function_in
from srv6lab.topology.sid_structure import structure_of as structure_by_sids


@dataclass(frozen=True, slots=True)
class PlannedLocator:
    """A locator of FRR. `format` is FRR's name for the `structure`, "" where it is told that; `closed` says that a packet to
    a function that nobody has ends there."""

    name: str
    prefix: IPv6Network
    structure: SidStructure
    format: str
    usid: bool
    isis: bool
    closed: bool


def format_of(one: Locator) -> str:
    """With `behavior usid` alone FRR counts functions from 1 on, which are other nodes' in the same block."""
    return F3216 if one.usid else one.format or ""


def plan_locators(topology: Topology, name: str, node: Node) -> Iterator[PlannedLocator]:
    """The locators of a node. An End with NEXT-CSID takes all of its locator, so nothing closes that."""
    taken = {one.prefix for one in topology.local_sids if one.node == name}
    for key, one in node.every_locator.items():
        of_isis = key == node.isis_locator
        whole = (structure_of(node) if one.prefix == node.locator else None) or structure_by_sids(one.prefix)
        closed = one.prefix not in taken and not (of_isis and one.usid)
        yield PlannedLocator(
            key, one.prefix, one.structure or whole, format_of(one), one.usid, of_isis, closed
        )


def structure_of(node: Node) -> SidStructure | None:
    """The parts of the SIDs in a node's locator: what the author says, else what fits its VPNs."""
    if node.locator is None or node.sid_structure:
        return node.sid_structure
    if said := node.every_locator[node.first_locator].structure:
        return said
    return structure_by_sids(node.locator, [vrf.sid for vrf in node.vpns.values()])


def function_of(node: Node, vrf: Vrf) -> int:
    structure = structure_of(node)
    if node.locator is None or structure is None:
        return 0
    return function_in(node.locator, vrf.sid, structure.function) or 0
