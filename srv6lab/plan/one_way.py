"""One way to each next hop of a VPN's routes, where several cost the same.

zebra with network namespaces for VRFs lays a VPN's route with several next hops without its segments, so on a kernel
without VRFs nothing of it is encapsulated. A static route of FRR to such a next hop has one way. What is encapsulated
goes to a SID, whose way the core looks up, so all of the equal ways are still taken.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

from srv6lab.plan.converged import Converged
from srv6lab.plan.converged.parted_vpns import parted_vpns
from srv6lab.plan.frr import Routing
from srv6lab.plan.nodes import Plan, PlannedRoute


def with_one_way(plan: Plan, whole: Converged) -> Plan:
    """The plan, of which `whole` is what its routers know, with these static routes; not on a router that would tell others of them."""
    more: dict[str, dict[PlannedRoute, None]] = {}
    for node, _vrf, hop, (via, nic) in parted_vpns(plan, whole):
        if node.routing and not _tells(node.routing):
            more.setdefault(node.name, {})[PlannedRoute(ip_network(hop), via, nic, frr=True)] = None
    if not more:
        return plan
    nodes = (replace(node, routes=(*node.routes, *more.get(node.name, ()))) for node in plan.nodes)
    return replace(plan, nodes=tuple(nodes))


def _tells(routing: Routing) -> bool:
    """Whether its static routes are redistributed."""
    speakers = (routing.isis, routing.bgp, *routing.ospf)
    return any("static" in one.redistribute for one in speakers if one)
