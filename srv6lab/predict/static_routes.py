"""What stands behind static routes, and which packets a rule takes to a table: as Linux reads them."""

from __future__ import annotations

from collections.abc import Mapping

from srv6lab.plan.nodes import Nic, PlannedNode, PlannedRoute, PlannedRule
from srv6lab.predict.fib import HEADENDS, Blackhole, Gateway, Link, NextHop, Routes, Steer
from srv6lab.predict.source import source_of
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.topology.scalars import Address

OF_LINKS = 256  # the metric of an IPv6 link's prefix; that of an IPv4 link's is 0


def static(node: PlannedNode, nics: Mapping[str, Nic]) -> Routes:
    """The routes with the least metric, but where a link has the prefix and goes first: with FRR always, else where an
    IPv4 link has a lesser metric."""
    links = {(nic.vrf, network) for nic in node.nics for network in nic.networks()}
    for (prefix, table), routes in node.next_hops().items():
        first = routes[0]
        if (first.vrf, prefix) in links and (
            first.frr or (table is None and prefix.version == 4 and first.rank)
        ):
            continue
        yield table, prefix, tuple(behind(node, nics, one) for one in routes)


def behind(node: PlannedNode, nics: Mapping[str, Nic], route: PlannedRoute) -> NextHop:
    """What a route leads to."""
    if not route.segments:
        return on_link(route)
    source = source_of(node, nics, route.nic, route.segments[0])
    return Steer(HEADENDS[route.mode], Encapsulation(source, route.segments), route.weight)


def on_link(route: PlannedRoute) -> NextHop:
    if route.kind:
        return Blackhole(f"its route says {route.kind}", route.kind)
    if route.via is None:
        return Link(route.nic, route.weight)
    return Gateway(route.via, route.nic, route.weight)


def selected(rule: PlannedRule, to: Address, came_in: str | None, source: Address | None) -> bool:
    """Whether a rule takes a packet. Nothing that the model knows gives a mark that a rule of the author's asks for."""
    return (
        to.version in rule.versions
        and rule.mark is None
        and (not rule.nic or rule.nic == (came_in or "lo"))
        and (rule.source is None or (source is not None and source in rule.source))
        and (rule.to is None or to in rule.to)
    )
