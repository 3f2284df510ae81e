"""What FRR of a node is told of BGP. Without `via` a session inside an AS leads from loopback to loopback, and one between
two over the link that both are on."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.plan.frr.links import links_of
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Address, Network
from srv6lab.topology.sessions import ends_of_session, leads_by_loopback
from srv6lab.topology.unicast_sids import UnicastSid, unicast_sids


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
    tells_sids: bool = False

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
    sids: tuple[UnicastSid, ...] = ()

    def families(self) -> tuple[tuple[str, str], ...]:
        """The families of the node with FRR's words for them, that of IPv6 VPNs only where it is spoken."""
        spoken = {family for one in self.neighbors for family in one.families}
        return tuple(_WORDS.items())[: 4 if "vpnv6" in spoken else 3]

    def networks_of(self, family: str) -> tuple[Network, ...]:
        return tuple(one for one in self.networks if OF_UNICAST[one.version] == family)

    def redistributed(self, family: str) -> tuple[str, ...]:
        """OSPF of one version is for one IP version."""
        lacking = {"ipv4": "ospf6", "ipv6": "ospf"}
        return tuple(one for one in self.redistribute if family in lacking and one != lacking[family])

    def sid_of(self, family: str) -> UnicastSid | None:
        return next((one for one in self.sids if OF_UNICAST[one.version] == family), None)

    @property
    def tells_sids(self) -> bool:
        return any(one.tells_sids for one in self.neighbors)


OF_UNICAST = {4: "ipv4", 6: "ipv6"}
_WORDS = {"ipv4": "ipv4 unicast", "ipv6": "ipv6 unicast", "vpnv4": "ipv4 vpn", "vpnv6": "ipv6 vpn"}


def plan_bgp(topology: Topology, name: str, node: Node) -> PlannedBgp | None:
    if node.bgp is None:
        return None
    neighbors = (planned_neighbor(topology, name, one) for one in node.bgp.neighbors)
    of = (node.bgp.as_number, node.bgp.networks, tuple(neighbors), node.bgp.redistribute)
    return PlannedBgp(*of, unicast_sids(node))


def planned_neighbor(topology: Topology, name: str, one: Neighbor, vrf: str = "") -> PlannedNeighbor:
    here, there = topology.nodes[name], topology.nodes[one.node]
    remote_as = there.bgp.as_number if there.bgp else 0
    ebgp = here.bgp is None or here.bgp.as_number != remote_as
    ends = ends_of_session(one, ebgp, here, there, links_of(topology, name), vrf)
    if ends is None:
        raise ValueError(f"the checks have let a session of {name} with {one.node} pass that has no ends")
    local, address = ends
    return PlannedNeighbor(
        node=one.node,
        address=address,
        remote_as=remote_as,
        source=local if leads_by_loopback(one, ebgp) else None,
        families=one.families,
        next_hop_self=one.next_hop_self,
        local=local,
        reflector_client=one.reflector_client,
        multihop=one.multihop or 0,
        ebgp=ebgp,
        tells_sids=not ebgp and address.version == 6 and _tells_sids(topology, remote_as),
    )


def _tells_sids(topology: Topology, as_number: int) -> bool:
    """Whether an AS sends its own routes into SRv6: SIDs are told inside of it."""
    speakers = (node.bgp for node in topology.nodes.values() if node.bgp)
    return any(one.sids and one.as_number == as_number for one in speakers)
