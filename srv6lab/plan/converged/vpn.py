"""The routes of VPNs in their VRFs, as BGP has brought them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.plan.converged.bgp.values import BgpRoute, Speaker, Tables
from srv6lab.plan.converged.rib import Rib, Way, vrf_routes
from srv6lab.plan.converged.values import VpnRoute
from srv6lab.plan.frr.bgp import OF_UNICAST
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.nodes import PlannedNode, PlannedRoute


def of_other_sites(node: PlannedNode, vrf: PlannedVrf, tables: Tables, rib: Rib) -> Iterator[VpnRoute]:
    """The prefixes of other sites that a VRF sends into SRv6: it needs a way to the next hop (RFC 9252 section 5)."""
    links = Rib(vrf_routes(node, vrf.name))
    for family in OF_UNICAST.values():
        for key, (best, *_) in tables.get(Speaker(node.name, vrf.name), {}).get(family, {}).items():
            reached = best.imported and best.next_hop and rib.ways(best.next_hop)
            if reached and best.sid and links.exact(key.prefix) is None:
                yield VpnRoute(key.prefix, best.sid)


def over_links(node: PlannedNode, vrf: PlannedVrf, tables: Tables) -> Iterator[PlannedRoute]:
    """What a VRF has learned of its customers' routers, and what it has taken from other VRFs of the node: those routes
    leave by links of theirs."""
    own = Rib(vrf_routes(node, vrf.name))
    for family in OF_UNICAST.values():
        for key, paths in tables.get(Speaker(node.name, vrf.name), {}).get(family, {}).items():
            if own.exact(key.prefix) is None:
                ways = dict.fromkeys(way for one in paths for way in _ways(node, one, own))
                yield from (
                    PlannedRoute(key.prefix, via, nic, table=vrf.table, vrf=vrf.name) for via, nic in ways
                )


def _ways(node: PlannedNode, route: BgpRoute, own: Rib) -> Iterator[Way]:
    """The ways of a route that stays on the node: over the next hop, or as the VRF has it that it comes from."""
    if route.imported is None:
        yield from own.ways(route.next_hop) if route.next_hop else ()
    elif route.imported.vrf:
        there = Rib(vrf_routes(node, route.imported.vrf))
        known = there.exact(route.prefix)
        yield from there.ways(route.came.remote) if route.came else known.ways if known else ()


def vrfs_of(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()
