"""What FRR of a node is told of BGP. Without `via` a session inside an AS leads from loopback to loopback, and one between
two over the link that both are on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.bgp import Neighbor, leads_by_loopback
from srv6lab.topology.scalars import Address, Network


@dataclass(frozen=True, slots=True)
class PlannedNeighbor:
    """A BGP session: to `address` of `node`; from `source` where it isn't the address of the link. `local` is this end in
    any case. By eBGP a session from loopback to loopback may pass `multihop` links, or one if that is 0."""

    node: str
    address: Address
    remote_as: int
    source: Address | None
    families: tuple[str, ...]
    next_hop_self: bool
    local: Address
    reflector_client: bool = False
    multihop: int = 0
    ebgp: bool = False

    @property
    def extended_next_hop(self) -> bool:
        """Whether IPv4 prefixes come with an IPv6 next hop (RFC 8950)."""
        over_ipv6 = self.address.version == 6 and "ipv4" in self.families
        return over_ipv6 or "vpnv4" in self.families


@dataclass(frozen=True, slots=True)
class PlannedBgp:
    as_number: int
    networks: tuple[Network, ...]
    neighbors: tuple[PlannedNeighbor, ...]
    redistribute: tuple[str, ...] = ()

    def families(self) -> tuple[tuple[str, str], ...]:
        """The families of the node with FRR's words for them, that of IPv6 VPNs only where it is spoken."""
        spoken = {family for one in self.neighbors for family in one.families}
        return tuple(_WORDS.items())[: 4 if "vpnv6" in spoken else 3]

    def networks_of(self, family: str) -> tuple[Network, ...]:
        return tuple(one for one in self.networks if OF_UNICAST[one.version] == family)

    def redistributed(self, family: str) -> tuple[str, ...]:
        return self.redistribute if family in OF_UNICAST.values() else ()


OF_UNICAST = {4: "ipv4", 6: "ipv6"}
_WORDS = {"ipv4": "ipv4 unicast", "ipv6": "ipv6 unicast", "vpnv4": "ipv4 vpn", "vpnv6": "ipv6 vpn"}


def plan_bgp(topology: Topology, name: str, node: Node) -> PlannedBgp | None:
    if node.bgp is None:
        return None
    neighbors = (planned_neighbor(topology, name, one) for one in node.bgp.neighbors)
    return PlannedBgp(node.bgp.as_number, node.bgp.networks, tuple(neighbors), node.bgp.redistribute)


def planned_neighbor(topology: Topology, name: str, one: Neighbor, vrf: str = "") -> PlannedNeighbor:
    here, there = topology.nodes[name], topology.nodes[one.node]
    remote_as = there.bgp.as_number if there.bgp else 0
    ebgp = here.bgp is None or here.bgp.as_number != remote_as
    by_loopback = leads_by_loopback(one, ebgp)
    pairs = _loopbacks(here, there) if by_loopback else _on_links(topology, name, one.node, vrf)
    local, address = ends_of_session(tuple(pairs), one)
    return PlannedNeighbor(
        node=one.node,
        address=address,
        remote_as=remote_as,
        source=local if by_loopback else None,
        families=one.families,
        next_hop_self=one.next_hop_self,
        local=local,
        reflector_client=one.reflector_client,
        multihop=one.multihop or 0,
        ebgp=ebgp,
    )


def ends_of_session(pairs: tuple[tuple[Address, Address], ...], one: Neighbor) -> tuple[Address, Address]:
    """The first of these pairs of addresses; IPv4 if nothing else is spoken, and where there is no IPv6."""
    first = 4 if one.families == ("ipv4",) else 6
    return min(pairs, key=lambda pair: pair[0].version != first)


def _loopbacks(here: Node, there: Node) -> Iterator[tuple[Address, Address]]:
    for near in here.loopbacks:
        yield from ((near.ip, far.ip) for far in there.loopbacks if far.version == near.version)


def _on_links(topology: Topology, name: str, other: str, vrf: str) -> Iterator[tuple[Address, Address]]:
    """Both ends on the links to another node, by the link's prefixes."""
    for link, end in links_of(topology, name):
        if (link.endpoints[end].vrf or "") == vrf:
            for index, there in enumerate(link.endpoints):
                for far in link.interfaces(index) if there.node == other else ():
                    mine = (near.ip for near in link.interfaces(end) if near.network == far.network)
                    yield from ((near, far.ip) for near in mine)
