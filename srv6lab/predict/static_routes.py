"""What stands behind static routes, and which packets a rule takes to a table: as Linux reads them."""

from __future__ import annotations

from srv6lab.plan.nodes import PlannedNode, PlannedRoute, PlannedRule
from srv6lab.predict.fib import Blackhole, Gateway, Link, NextHop
from srv6lab.predict.policy_routes import Routes
from srv6lab.topology.scalars import Address

OF_LINKS = 256  # the metric of an IPv6 link's prefix; that of an IPv4 link's is 0


def static(node: PlannedNode) -> Routes:
    """The routes with the least metric, but where an IPv4 link has a lesser one."""
    links = {network for nic in node.nics for network in nic.networks() if network.version == 4}
    for (prefix, table), routes in node.next_hops().items():
        if table is not None or prefix not in links or not routes[0].rank:
            yield table, prefix, tuple(map(behind, routes))


def behind(route: PlannedRoute) -> NextHop:
    """What a route leads to."""
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
