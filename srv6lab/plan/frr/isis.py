"""What FRR of a node is told of IS-IS."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Node, Topology


@dataclass(frozen=True, slots=True)
class IsisNic:
    """A NIC that IS-IS runs on; its node has an adjacency there with `neighbor`."""

    nic: str
    neighbor: str
    network: str
    metric: int


@dataclass(frozen=True, slots=True)
class PlannedIsis:
    instance: str
    net: str
    nics: tuple[IsisNic, ...]
    redistribute: tuple[str, ...]


def plan_isis(topology: Topology, name: str, node: Node) -> PlannedIsis | None:
    if node.isis is None:
        return None
    nics = tuple(
        IsisNic(link.endpoints[end].nic, link.endpoints[1 - end].node, link.isis.network, link.isis.metric)
        for link, end in links_of(topology, name)
        if link.isis
    )
    return PlannedIsis(node.isis.instance, node.isis.net, nics, node.isis.redistribute)
