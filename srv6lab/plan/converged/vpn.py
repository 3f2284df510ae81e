"""The routes of VPNs in their VRFs, as BGP has brought them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.plan.converged.bgp.values import BgpRoute, Key, Speaker, Tables
from srv6lab.plan.converged.rib import Rib, Way, vrf_routes
from srv6lab.plan.frr.bgp import OF_UNICAST
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.learned import VpnRoute
from srv6lab.plan.nodes import PlannedNode, PlannedRoute
from srv6lab.topology.scalars import Address


def of_other_sites(node: PlannedNode, vrf: PlannedVrf, tables: Tables, rib: Rib) -> Iterator[VpnRoute]:
    """The prefixes of other sites that a VRF sends into SRv6: it needs a way to the next hop (RFC 9252 section 5). What
    another VRF of the node has by itself FRR sends to the SID of that one, too."""
    links = Rib(vrf_routes(node, vrf.name))
    for key, (best, *_) in _selected(node, vrf, tables):
        here = best.imported is not None and best.imported.vrf and best.came is None
        reached = here or (best.imported and best.next_hop and rib.ways(best.next_hop))
        if reached and best.sid and links.exact(key.prefix) is None:
            yield VpnRoute(key.prefix, best.sid)


def next_hops_of(node: PlannedNode, vrf: PlannedVrf, tables: Tables) -> Iterator[Address]:
    """The next hops of the routes that lead into SRv6, as other routers tell them."""
    for _, (best, *_) in _selected(node, vrf, tables):
        if best.imported and best.sid and best.next_hop:
            yield best.next_hop


def over_links(node: PlannedNode, vrf: PlannedVrf, tables: Tables) -> Iterator[PlannedRoute]:
    """What a VRF has learned of its customers' routers, and of those of other VRFs on the node."""
    links = Rib(vrf_routes(node, vrf.name))
    for key, paths in _selected(node, vrf, tables):
        if links.exact(key.prefix) is None:
            for via, nic in dict.fromkeys(way for one in paths for way in _over_customers(node, one)):
                yield PlannedRoute(key.prefix, via, nic, table=vrf.table, vrf=vrf.name)


def _over_customers(node: PlannedNode, route: BgpRoute) -> Iterator[Way]:
    """The ways of a route that a customer's router has told, on the links of the VRF that it has told it."""
    if route.came and route.came.here.vrf:
        there = Rib(vrf_routes(node, route.came.here.vrf))
        yield from there.ways(route.next_hop or route.came.remote)


def _selected(
    node: PlannedNode, vrf: PlannedVrf, tables: Tables
) -> Iterator[tuple[Key, tuple[BgpRoute, ...]]]:
    for family in OF_UNICAST.values():
        yield from tables.get(Speaker(node.name, vrf.name), {}).get(family, {}).items()


def vrfs_of(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()
