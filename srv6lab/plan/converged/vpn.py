"""The routes of VPNs in their VRFs, as BGP has brought them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.plan.converged.bgp.values import Speaker, Tables
from srv6lab.plan.converged.rib import Rib, vrf_routes
from srv6lab.plan.converged.values import VpnRoute
from srv6lab.plan.frr.bgp import OF_UNICAST
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.nodes import PlannedNode


def of_other_sites(node: PlannedNode, vrf: PlannedVrf, tables: Tables, rib: Rib) -> Iterator[VpnRoute]:
    """The prefixes of other sites that a VRF sends into SRv6: it needs a way to the next hop (RFC 9252 section 5)."""
    links = Rib(vrf_routes(node, vrf.name))
    for family in OF_UNICAST.values():
        for key, (best, *_) in tables.get(Speaker(node.name, vrf.name), {}).get(family, {}).items():
            reached = best.imported and best.next_hop and rib.ways(best.next_hop)
            if reached and best.sid and links.exact(key.prefix) is None:
                yield VpnRoute(key.prefix, best.sid)


def vrfs_of(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()
