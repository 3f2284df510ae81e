"""The parts of the SIDs that FRR of a node hands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Network

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.locator import F3216, Locator, SidStructure
from srv6lab.topology.scalars import Network
from srv6lab.topology.sid_structure import LABEL, structure_of
from srv6lab.topology.vpn_sids import VpnSid, structure_in, vpn_sids


@dataclass(frozen=True, slots=True)
class PlannedLocator:
    """A locator of FRR. `format` is FRR's name for the `structure`, "" where it is told that; `closed` says that a packet to
    a function that nobody has ends there; `transposed` that FRR announces the functions of its VPNs in labels (RFC 9252
    section 4)."""

    name: str
    prefix: IPv6Network
    structure: SidStructure
    format: str
    usid: bool
    isis: bool
    closed: bool
    transposed: bool = False


def format_of(one: Locator) -> str:
    """With `behavior usid` alone FRR counts functions from 1 on, which are other nodes' in the same block."""
    return F3216 if one.usid else one.format or ""


def plan_locators(topology: Topology, name: str, node: Node) -> Iterator[PlannedLocator]:
    """The locators of a node. An End with NEXT-CSID takes all of its locator, so nothing closes that."""
    taken = {one.prefix for one in topology.local_sids if one.node == name}
    for key, one in node.every_locator.items():
        of_isis = key == node.isis_locator
        first = one.prefix == node.locator
        whole = (structure_in(node) if first else None) or structure_of(one.prefix)
        structure = one.structure or whole
        transposed = bool(first and node.vpns and structure.function <= LABEL and not format_of(one))
        closed = one.prefix not in taken and not (of_isis and one.usid)
        yield PlannedLocator(
            key, one.prefix, structure, format_of(one), one.usid, of_isis, closed, transposed
        )


def sids_of_vpns(topology: Topology, name: str, node: Node) -> dict[str, tuple[VpnSid, ...]]:
    """The SIDs of each VPN of a node."""
    prefixes: dict[str, list[Network]] = {}
    for link, end in links_of(topology, name):
        prefixes.setdefault(link.endpoints[end].vrf or "", []).extend(link.prefixes)
    taken = [local.sid for local in topology.local_sids if local.node == name]
    return vpn_sids(node, prefixes, taken)
