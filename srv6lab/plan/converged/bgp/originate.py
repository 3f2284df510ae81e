"""What a speaker announces by itself: networks that it has a route to, and what it redistributes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from srv6lab.plan.converged.bgp.values import OWN_WEIGHT, BgpRoute
from srv6lab.plan.converged.rib import OF_BGP, Rib, RibRoute
from srv6lab.topology.scalars import Address, Network


def originated(networks: Collection[Network], redistribute: Collection[str], rib: Rib) -> Iterator[BgpRoute]:
    """FRR announces a network only while it has a route to exactly that prefix, by another protocol than BGP
    (`bgp network import-check`). The MED is what that protocol says of the way."""
    for prefix in networks:
        route = rib.exact(prefix)
        if route is not None and route.protocol not in OF_BGP:
            yield BgpRoute(prefix, med=route.metric, weight=OWN_WEIGHT, source="network")
    for route in rib:
        if route.protocol in redistribute and route.prefix not in networks:
            yield BgpRoute(
                route.prefix,
                _next_hop(route),
                med=route.metric,
                weight=OWN_WEIGHT,
                origin="incomplete",
                source=route.protocol,
            )


def _next_hop(route: RibRoute) -> Address | None:
    """What is redistributed keeps its next hop, if it has one of that IP version. IS-IS and OSPF have link-local ones for
    IPv6, which aren't told."""
    via = next((via for via, _ in route.ways if via), None)
    if via is None or via.version != route.prefix.version or via.is_link_local:
        return None
    return None if via.version == 6 and route.protocol in ("isis", "ospf6") else via
