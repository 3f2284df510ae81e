"""What FRR of a node is told: the protocols of a topology with names made into addresses.

A file for each protocol. What the protocols bring about is told in `plan/converged`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from srv6lab.plan.frr.bfd import PlannedBfd, plan_bfd
from srv6lab.plan.frr.bgp import PlannedBgp, PlannedNeighbor, plan_bgp
from srv6lab.plan.frr.isis import PlannedIsis, plan_isis
from srv6lab.plan.frr.locator import PlannedLocator, plan_locators
from srv6lab.plan.frr.ospf import PlannedOspf, plan_ospf
from srv6lab.plan.frr.vpn import PlannedVrf, plan_vpns
from srv6lab.topology.model import Topology
from srv6lab.topology.routing.locator import SidStructure
from srv6lab.topology.vpn_sids import structure_in

NEEDED = (10, 6)  # `func-bits 32`, so that a service SID isn't transposed (RFC 9252 section 4)


@dataclass(frozen=True, slots=True)
class Routing:
    """All that FRR of one node is told; `own_daemons` are those that its author's own lines need. `source` is what it encapsulates from, None for what
    the kernel takes."""

    router_id: IPv4Address
    source: IPv6Address | None
    locator: IPv6Network | None
    structure: SidStructure | None
    locators: tuple[PlannedLocator, ...]
    isis: PlannedIsis | None
    ospf: tuple[PlannedOspf, ...]
    bgp: PlannedBgp | None
    bfd: tuple[PlannedBfd, ...]
    vrfs: tuple[PlannedVrf, ...]
    own_daemons: tuple[str, ...] = ()

    @property
    def daemons(self) -> tuple[str, ...]:
        """The daemons of FRR that the node runs, in the order in which they start."""
        every = (
            "mgmtd",
            "zebra",
            "staticd",
            *(["isisd"] if self.isis else []),
            *(one.daemon for one in self.ospf),
            *(["bgpd"] if self.bgp else []),
            *(["bfdd"] if self.bfd else []),
            *self.own_daemons,
        )
        return tuple(dict.fromkeys(every))

    @property
    def learns_inside(self) -> bool:
        """Whether it learns routes from routers of its own domain."""
        return bool(self.isis or self.ospf)

    @property
    def redistributes(self) -> bool:
        """Whether it tells its own domain what another protocol has brought."""
        return any(one is not None and one.redistribute for one in (self.isis, *self.ospf))

    @property
    def isis_locator(self) -> PlannedLocator | None:
        """The one that IS-IS announces."""
        return next((one for one in self.locators if one.isis), None)

    @property
    def vpn_locator(self) -> PlannedLocator | None:
        """The one that the SIDs of VPNs are in."""
        return next((one for one in self.locators if one.prefix == self.locator), None)

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
            {"vpnv4", "vpnv6"} & {*one.families} and one.remote_as != self.bgp.as_number
            for one in sessions
            if self.bgp
        )

    def chooses(self, vrf: PlannedVrf | None = None) -> bool:
        """Whether routes of several eBGP sessions meet, in the node's own tables or in those of a VRF."""
        own = tuple(one for one in (self.bgp.neighbors if self.bgp else ()) if one.ebgp)
        if vrf is None:
            return len(own) > 1
        told = (one for one in own if {"vpnv4", "vpnv6"} & {*one.families})
        return len((*told, *(one for one in vrf.neighbors if one.ebgp))) > 1

    def sessions(self) -> Iterator[tuple[str, PlannedNeighbor]]:
        """Every BGP session with the VRF that it is in, "" for none."""
        yield from (("", one) for one in (self.bgp.neighbors if self.bgp else ()))
        yield from ((vrf.name, one) for vrf in self.vrfs for one in vrf.neighbors)


def plan_routing(topology: Topology, name: str) -> Routing | None:
    """What FRR of a node is told, None for a node without FRR. The topology is one that the
    checks have let pass."""
    node = topology.nodes[name]
    if node.router_id is None:
        return None
    isis, ospf = plan_isis(topology, name, node), plan_ospf(topology, name, node)
    bgp = plan_bgp(topology, name, node)
    return Routing(
        router_id=node.router_id,
        source=node.tunnel_source or (node.loopback.ip if node.loopback and node.locator else None),
        locator=node.locator,
        structure=structure_in(node),
        locators=tuple(plan_locators(topology, name, node)),
        isis=isis,
        ospf=ospf,
        bgp=bgp,
        bfd=plan_bfd(topology, name, isis, ospf, bgp),
        vrfs=tuple(plan_vpns(topology, name, node)),
        own_daemons=node.frr.daemons if node.frr else (),
    )
