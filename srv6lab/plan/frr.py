"""What FRR of a node is told: the protocols of a topology with names made into addresses.

A session inside an AS leads from loopback to loopback, one between two over the link that both are on. What
the protocols bring about is told in `routes`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from srv6lab.topology.model import Link, Node, Topology
from srv6lab.topology.routing import Neighbor, SidStructure, Vrf
from srv6lab.topology.scalars import Address
from srv6lab.topology.sid_structure import function_in
from srv6lab.topology.sid_structure import structure_of as structure_by_sids

FIRST_TABLE = 1001


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


@dataclass(frozen=True, slots=True)
class PlannedVrf:
    """A VPN: `function` is that of its SID, `table` the routing table of its VRF where the kernel has VRFs."""

    name: str
    table: int
    nics: tuple[str, ...]
    rd: str
    import_targets: tuple[str, ...]
    export_targets: tuple[str, ...]
    sid: IPv6Address
    function: int
    redistribute: tuple[str, ...]
    neighbors: tuple[PlannedNeighbor, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """All that FRR of one node is told. `source` is what it encapsulates from."""

    router_id: IPv4Address
    source: IPv6Address | None
    locator: IPv6Network | None
    structure: SidStructure | None
    isis: PlannedIsis | None
    bgp: PlannedBgp | None
    vrfs: tuple[PlannedVrf, ...]

    @property
    def daemons(self) -> tuple[str, ...]:
        """The daemons of FRR that the node runs, in the order in which they start."""
        return (
            "mgmtd",
            "zebra",
            "staticd",
            *(["isisd"] if self.isis else []),
            *(["bgpd"] if self.bgp else []),
        )

    @property
    def route_daemons(self) -> tuple[str, ...]:
        """Those without which routes aren't kept: mgmtd only takes configuration."""
        return tuple(name for name in self.daemons if name != "mgmtd")

    @property
    def sids_from_other_as(self) -> bool:
        """Whether VPN routes come straight from another AS, where FRR wants the next hop on a link: with SRv6 that is
        the SID."""
        sessions = self.bgp.neighbors if self.bgp and self.vrfs else ()
        return any(
            "vpnv4" in one.families and one.remote_as != self.bgp.as_number for one in sessions if self.bgp
        )

    def sessions(self) -> Iterator[tuple[str, PlannedNeighbor]]:
        """Every BGP session with the VRF that it is in, "" for none."""
        yield from (("", one) for one in (self.bgp.neighbors if self.bgp else ()))
        yield from ((vrf.name, one) for vrf in self.vrfs for one in vrf.neighbors)


def plan_routing(topology: Topology, name: str) -> Routing | None:
    """What FRR of a node is told, None for a node without routing protocols. The topology is one that the
    checks have let pass."""
    node = topology.nodes[name]
    if node.router_id is None or not (node.isis or node.bgp):
        return None
    return Routing(
        router_id=node.router_id,
        source=node.tunnel_source or (node.loopback.ip if node.loopback else None),
        locator=node.locator,
        structure=structure_of(node),
        isis=_isis(topology, name, node),
        bgp=_bgp(topology, name, node),
        vrfs=tuple(_vrf(topology, name, node, *one) for one in enumerate(node.vpns.items())),
    )


def structure_of(node: Node) -> SidStructure | None:
    """The parts of the SIDs in a node's locator: what the author says, else what fits its VPNs."""
    if node.locator is None or node.sid_structure:
        return node.sid_structure
    return structure_by_sids(node.locator, [vrf.sid for vrf in node.vpns.values()])


def _isis(topology: Topology, name: str, node: Node) -> PlannedIsis | None:
    if node.isis is None:
        return None
    nics = tuple(
        IsisNic(link.endpoints[end].nic, link.endpoints[1 - end].node, link.isis.network, link.isis.metric)
        for link, end in _links_of(topology, name)
        if link.isis
    )
    return PlannedIsis(node.isis.instance, node.isis.net, nics, node.isis.redistribute)


def _bgp(topology: Topology, name: str, node: Node) -> PlannedBgp | None:
    if node.bgp is None:
        return None
    neighbors = (_neighbor(topology, name, one) for one in node.bgp.neighbors)
    return PlannedBgp(node.bgp.as_number, node.bgp.networks, tuple(neighbors))


def _vrf(topology: Topology, name: str, node: Node, index: int, item: tuple[str, Vrf]) -> PlannedVrf:
    vrf_name, vrf = item
    nics = (link.endpoints[end] for link, end in _links_of(topology, name))
    return PlannedVrf(
        name=vrf_name,
        table=FIRST_TABLE + index,
        nics=tuple(nic.nic for nic in nics if nic.vrf == vrf_name),
        rd=vrf.rd,
        import_targets=vrf.import_targets,
        export_targets=vrf.export_targets,
        sid=vrf.sid,
        function=_function(node, vrf),
        redistribute=vrf.redistribute,
        neighbors=tuple(_neighbor(topology, name, one) for one in vrf.neighbors),
    )


def _function(node: Node, vrf: Vrf) -> int:
    structure = structure_of(node)
    if node.locator is None or structure is None:
        return 0
    return function_in(node.locator, vrf.sid, structure.function) or 0


def _neighbor(topology: Topology, name: str, one: Neighbor) -> PlannedNeighbor:
    here, there = topology.nodes[name], topology.nodes[one.node]
    remote_as = there.bgp.as_number if there.bgp else 0
    source: IPv6Address | None = None
    address: Address
    if here.bgp and remote_as == here.bgp.as_number and here.loopback and there.loopback:
        address, source = there.loopback.ip, here.loopback.ip
    else:
        address = next(_far_ends(topology, name, one.node))
    return PlannedNeighbor(one.node, address, remote_as, source, one.families, one.next_hop_self)


def _far_ends(topology: Topology, name: str, other: str) -> Iterator[Address]:
    """The addresses of another node on the links to it."""
    for link, _ in _links_of(topology, name):
        for end, one in enumerate(link.endpoints):
            if one.node == other and (address := link.address(end)):
                yield address


def _links_of(topology: Topology, name: str) -> Iterator[tuple[Link, int]]:
    """The links of a node, each with the index of its own end."""
    for link in topology.links:
        yield from ((link, end) for end, one in enumerate(link.endpoints) if one.node == name)


NEEDED = (10, 6)  # `func-bits 32`, so that a service SID isn't transposed (RFC 9252 section 4)
