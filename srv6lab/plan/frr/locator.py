"""The parts of the SIDs that FRR of a node hands out."""

from __future__ import annotations

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.locator import SidStructure
from srv6lab.topology.scalars import Network
from srv6lab.topology.vpn_sids import VpnSid, structure_for, vpn_sids


def structure_of(node: Node) -> SidStructure | None:
    """The parts of the SIDs in a node's locator: what the author says, else what fits its VPNs."""
    if node.locator is None or node.sid_structure:
        return node.sid_structure
    return structure_for(node.locator, None, node.vpns.values())


def sids_of_vpns(topology: Topology, name: str, node: Node) -> dict[str, tuple[VpnSid, ...]]:
    """The SIDs of each VPN of a node."""
    structure = structure_of(node)
    if node.locator is None or structure is None:
        return {}
    prefixes: dict[str, list[Network]] = {}
    for link, end in links_of(topology, name):
        prefixes.setdefault(link.endpoints[end].vrf or "", []).extend(link.prefixes)
    taken = [local.sid for local in topology.local_sids if local.node == name]
    return vpn_sids(node.locator, structure, node.vpns, prefixes, taken)
