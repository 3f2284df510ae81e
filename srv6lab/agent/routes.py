"""The routes that policies want: a function from their states to `ip route` commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..srv6.policy.identity import Address
from ..srv6.policy.routes import Route, routes
from ..srv6.policy.shares import linux_weights
from ..srv6.policy.sr_db import Link
from ..srv6.policy.state import States
from ..srv6.policy.view import View
from .config import Config

Words = tuple[str, ...]
Routes = Mapping[Words, Words]
"""What a route is for (`10.0.2.0/24 table 100`), and what is behind that; nothing behind it is no route."""
UNKNOWN: Words = ("unknown",)


def wanted(config: Config, states: States, view: View) -> Routes:
    """Every route of the headend's steering and of its binding SIDs."""
    return {_what(one): _behind(one) for one in routes(config.steering, states, view, config.nics)}


def commands(before: Routes, after: Routes) -> Iterator[tuple[Words, Words]]:
    """Each route that changes with the command for it: what is replaced is never gone in between."""
    for route, behind in after.items():
        if behind and before.get(route) != behind:
            kind = behind[:1] if behind[0] == "blackhole" else ()
            yield route, ("ip", "route", "replace", *kind, *route, *behind[len(kind) :])
    for route in before:
        if before[route] and not after.get(route):
            yield route, ("ip", "route", "del", *route)


def _what(route: Route) -> Words:
    return (str(route.prefix), *(("table", str(route.table)) if route.table is not None else ()))


def _behind(route: Route) -> Words:
    """One next hop, or several with weights. Linux looks the first segment up whatever the next hop is, but
    several of IPv6 it only takes with a gateway."""
    if route.drop:
        return ("blackhole",)
    if not route.hops:
        return route.steering.otherwise if route.steering else ()
    if route.steering:
        encap = f"encap seg6 mode {route.steering.mode} segs"
    else:
        encap = "encap seg6local action End.B6.Encaps srh segs"
    words: list[str] = []
    weights = linux_weights([hop.share for hop in route.hops]).weights
    for hop, weight in zip(route.hops, weights):
        via = ("via", str(hop.link.remote)) if route.prefix.version == 6 else ()
        one = (*encap.split(), ",".join(map(str, hop.sids)), *via, "dev", hop.nic)
        words += one if len(route.hops) == 1 else ("nexthop", *one, "weight", str(weight))
    return tuple(words)


def own_links(config: Config) -> tuple[Link, ...]:
    """The headend's adjacencies, and those of its neighbors to it."""
    nics = config.nics
    return tuple(one for one in config.db.links if one.local in nics or one.remote in nics)


def nic_of(link: Link, nics: Mapping[Address, str]) -> str:
    return nics[link.local] if link.local in nics else nics[link.remote]
