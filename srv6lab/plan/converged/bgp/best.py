"""Which of the routes to one prefix a speaker selects: RFC 4271 section 9.1.2.2, in the order of FRR's steps.

Where FRR would keep the older of two routes by eBGP, labs tell it to compare router ids (`bestpath compare-routerid`): so
what is selected doesn't depend on who was quicker. FRR shares flows among routes that are equal up to the metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from itertools import groupby

from srv6lab.plan.converged.bgp.values import BgpRoute
from srv6lab.plan.converged.rib import DISTANCES

Metric = Callable[[BgpRoute], int]  # how far a route's next hop is by the other protocols
_ORIGINS = {"igp": 0, "egp": 1, "incomplete": 2}  # RFC 4271 section 5.1.1


def select(routes: Iterable[BgpRoute], metric: Metric) -> tuple[BgpRoute, ...]:
    """The best route first, then those that share its flows."""
    all_ = _by_distance(list(routes))
    if not all_:
        return ()
    best = _first(_winners(all_, metric), metric)
    others = (one for one in all_ if one is not best and _equal(best, one, metric))
    # Two with one next hop are one way.
    ways = {best.next_hop: best}
    for one in sorted(others, key=lambda route: _order(route, metric)):
        ways.setdefault(one.next_hop, one)
    return (best, *(one for one in ways.values() if one is not best))


def _by_distance(routes: list[BgpRoute]) -> list[BgpRoute]:
    """What is redistributed goes before what is told only if its protocol does, too."""
    told = [DISTANCES["bgp" if one.ebgp else "ibgp"] for one in routes if one.came]
    return [
        one
        for one in routes
        if one.came or one.source not in DISTANCES or DISTANCES[one.source] <= min(told, default=255)
    ]


def _winners(routes: list[BgpRoute], metric: Metric) -> list[BgpRoute]:
    """The best of each neighboring AS, since MEDs are compared among those only."""
    found = []
    for _, group in groupby(sorted(routes, key=_neighbor_as), key=_neighbor_as):
        found.append(
            min(group, key=lambda route: (*_before_med(route), route.med, *_after_med(route, metric)))
        )
    return found


def _first(routes: list[BgpRoute], metric: Metric) -> BgpRoute:
    return min(routes, key=lambda route: _order(route, metric))


def _order(route: BgpRoute, metric: Metric) -> tuple[object, ...]:
    return (*_before_med(route), *_after_med(route, metric))


def _before_med(route: BgpRoute) -> tuple[int, ...]:
    local = route.own and route.imported is None
    return -route.weight, -route.local_pref, not local, len(route.as_path), _ORIGINS[route.origin]


def _after_med(route: BgpRoute, metric: Metric) -> tuple[object, ...]:
    came = route.came
    told_by = came.router_id if came else IPv4Address(0)
    address = (came.remote.version, int(came.remote)) if came else (0, 0)
    router_id = int(route.originator or told_by)
    return not route.ebgp, metric(route), router_id, len(route.clusters), address, route.rd


def _neighbor_as(route: BgpRoute) -> int:
    return route.as_path[0] if route.as_path else 0


def _equal(best: BgpRoute, other: BgpRoute, metric: Metric) -> bool:
    """Whether two routes share flows: alike up to the metric, and by one AS."""
    if best.came is None or other.came is None or _before_med(best) != _before_med(other):
        return False
    if _neighbor_as(best) == _neighbor_as(other) and best.med != other.med:
        return False
    if best.ebgp != other.ebgp or metric(best) != metric(other):
        return False
    if best.ebgp:
        return best.came.as_there == other.came.as_there
    return best.as_path == other.as_path
