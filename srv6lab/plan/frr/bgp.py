"""What FRR of a node is told of BGP. A session inside an AS leads from loopback to loopback, one between two over the link
that both are on."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

from srv6lab.plan.frr.links import far_ends
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Address


@dataclass(frozen=True, slots=True)
class PlannedNeighbor:
    """A BGP session: to `address` of `node`; from `source` where it isn't the address of the link."""

    node: str
    address: Address
    remote_as: int
    source: IPv6Address | None
    families: tuple[str, ...]
    next_hop_self: bool


@dataclass(frozen=True, slots=True)
class PlannedBgp:
    as_number: int
    networks: tuple[IPv6Network, ...]
    neighbors: tuple[PlannedNeighbor, ...]


def plan_bgp(topology: Topology, name: str, node: Node) -> PlannedBgp | None:
    if node.bgp is None:
        return None
    neighbors = (planned_neighbor(topology, name, one) for one in node.bgp.neighbors)
    return PlannedBgp(node.bgp.as_number, node.bgp.networks, tuple(neighbors))


def planned_neighbor(topology: Topology, name: str, one: Neighbor) -> PlannedNeighbor:
    here, there = topology.nodes[name], topology.nodes[one.node]
    remote_as = there.bgp.as_number if there.bgp else 0
    source: IPv6Address | None = None
    address: Address
    if here.bgp and remote_as == here.bgp.as_number and here.loopback and there.loopback:
        address, source = there.loopback.ip, here.loopback.ip
    else:
        address = next(far_ends(topology, name, one.node))
    return PlannedNeighbor(one.node, address, remote_as, source, one.families, one.next_hop_self)
