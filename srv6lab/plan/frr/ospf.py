"""What FRR of a node is told of OSPF."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from srv6lab.evidence.packets import Point
from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Endpoint, Link, Node, Topology
from srv6lab.topology.routing.ospf import Ospf, OspfLink


@dataclass(frozen=True, slots=True)
class OspfNeighbor:
    """A node that OSPF has for a neighbor, by its NIC there."""

    node: str
    nic: str
    router_id: IPv4Address


@dataclass(frozen=True, slots=True)
class OspfNic:
    """A NIC that OSPF knows of. Over one that isn't passive its node has the others on the link for `neighbors`."""

    nic: str
    neighbors: tuple[OspfNeighbor, ...]
    network: str
    cost: int
    area: IPv4Address
    passive: bool = False


@dataclass(frozen=True, slots=True)
class PlannedOspf:
    """OSPF of one `version`; the loopback is in `area`."""

    version: int
    area: IPv4Address
    nics: tuple[OspfNic, ...]
    redistribute: tuple[str, ...]

    def without(self, nics: Collection[str]) -> PlannedOspf:
        """What is left of it when NICs are down."""
        return replace(self, nics=tuple(one for one in self.nics if one.nic not in nics))

    def without_neighbors(self, down: Collection[Point]) -> PlannedOspf:
        """Without those whose NICs are down."""
        nics = (
            replace(one, neighbors=tuple(it for it in one.neighbors if Point(it.node, it.nic) not in down))
            for one in self.nics
        )
        return replace(self, nics=tuple(nics))

    @property
    def daemon(self) -> str:
        return "ospfd" if self.version == 2 else "ospf6d"

    @property
    def family(self) -> int:
        """The IP version of the routes that it brings."""
        return 4 if self.version == 2 else 6


def plan_ospf(topology: Topology, name: str, node: Node) -> tuple[PlannedOspf, ...]:
    """Version 2, and version 3, of a node that has them."""
    every = ((2, node.ospf), (3, node.ospf6))
    return tuple(_planned(topology, name, version, ospf) for version, ospf in every if ospf)


def _planned(topology: Topology, name: str, version: int, ospf: Ospf) -> PlannedOspf:
    nics = []
    for link, end in links_of(topology, name):
        if on_link := ospf_of(link, version):
            others = () if on_link.passive else link.endpoints
            nics.append(
                OspfNic(
                    nic=link.endpoints[end].nic,
                    neighbors=tuple(_neighbors(topology, others[:end] + others[end + 1 :])),
                    network=on_link.network_of(len(link.endpoints)),
                    cost=on_link.cost_at(end),
                    area=on_link.area or ospf.area,
                    passive=on_link.passive,
                )
            )
    return PlannedOspf(version, ospf.area, tuple(nics), ospf.redistribute)


def _neighbors(topology: Topology, ends: Iterable[Endpoint]) -> Iterator[OspfNeighbor]:
    for one in ends:
        if router_id := topology.nodes[one.node].router_id:
            yield OspfNeighbor(one.node, one.nic, router_id)


def ospf_of(link: Link, version: int) -> OspfLink | None:
    """What a link has of a version."""
    return link.ospf if version == 2 else link.ospf6
