"""What FRR of a node is told of OSPF."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Link, Node, Topology
from srv6lab.topology.routing.ospf import Ospf, OspfLink


@dataclass(frozen=True, slots=True)
class OspfNeighbor:
    node: str
    router_id: IPv4Address


@dataclass(frozen=True, slots=True)
class OspfNic:
    """A NIC that OSPF runs on; on a passive one its node has no `neighbors`, which are the others on the link."""

    nic: str
    neighbors: tuple[OspfNeighbor, ...]
    network: str
    cost: int
    area: IPv4Address

    @property
    def passive(self) -> bool:
        return not self.neighbors


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
            others = [] if on_link.passive else [one.node for one in link.endpoints]
            nics.append(
                OspfNic(
                    nic=link.endpoints[end].nic,
                    neighbors=tuple(_neighbors(topology, others[:end] + others[end + 1 :])),
                    network=on_link.network_of(len(link.endpoints)),
                    cost=on_link.cost_at(end),
                    area=on_link.area or ospf.area,
                )
            )
    return PlannedOspf(version, ospf.area, tuple(nics), ospf.redistribute)


def _neighbors(topology: Topology, names: Iterable[str]) -> Iterator[OspfNeighbor]:
    for name in names:
        if router_id := topology.nodes[name].router_id:
            yield OspfNeighbor(name, router_id)


def ospf_of(link: Link, version: int) -> OspfLink | None:
    """What a link has of a version."""
    return link.ospf if version == 2 else link.ospf6
