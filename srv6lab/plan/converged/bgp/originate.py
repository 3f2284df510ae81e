"""What a speaker announces by itself: networks that it has a route to, and what it redistributes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from srv6lab.plan.converged.bgp.values import OWN_WEIGHT, BgpRoute
from srv6lab.plan.converged.rib import Rib
from srv6lab.topology.scalars import Network

_OF_BGP = ("bgp", "ibgp")


def originated(networks: Collection[Network], redistribute: Collection[str], rib: Rib) -> Iterator[BgpRoute]:
    """FRR announces a network only while it has a route to exactly that prefix, by another protocol than BGP
    (`bgp network import-check`). The MED is what that protocol says of the way."""
    for prefix in networks:
        route = rib.exact(prefix)
        if route is not None and route.protocol not in _OF_BGP:
            yield BgpRoute(prefix, med=route.metric, weight=OWN_WEIGHT, source="network")
    for route in rib:
        if route.protocol in redistribute and route.prefix not in networks:
            of = route.protocol
            yield BgpRoute(route.prefix, med=route.metric, weight=OWN_WEIGHT, origin="incomplete", source=of)
