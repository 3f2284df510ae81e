"""The routes that routing protocols must have brought once they have converged: a file for each protocol.

It is what the model forwards by, and what `up` waits for. It knows only what labs have: IS-IS, BGP
networks handed on into IS-IS at the border, VPN routes that every speaker of their family passes on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from srv6lab.plan.converged.bgp import of_other_as
from srv6lab.plan.converged.isis import IsisRoutes
from srv6lab.plan.converged.values import ExpectedRoutes, VpnRoute
from srv6lab.plan.converged.vpn import from_pe, imported, vrfs_of
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.topology.scalars import Network

__all__ = ["ExpectedRoutes", "VpnRoute", "expected_routes", "learned_nics"]


def expected_routes(
    plan: Plan, withdrawn: Collection[str] = (), only: Collection[str] | None = None
) -> dict[str, ExpectedRoutes]:
    """The routes of every node with routing protocols, or of those in `only`; the nodes in `withdrawn` have lost their
    locator, and with it the SIDs of their VPNs."""
    lost = {plan.node(name).locator for name in withdrawn}
    speakers = [node for node in plan.nodes if node.routing and (only is None or node.name in only)]
    ends = {nic.point: nic for nic in plan.nics()}
    isis = IsisRoutes(plan)
    found = {}
    for node in speakers:
        vpns = {vrf.name: tuple(imported(plan, node, vrf, withdrawn)) for vrf in vrfs_of(node)}
        ways = partial(isis.ways, node.name)
        of_prefixes: dict[Network, tuple[PlannedRoute, ...]] = {}
        for prefix, routes in (
            *isis.routes(node),
            *of_other_as(plan, node, ways, ends),
            *from_pe(plan, node, withdrawn),
        ):
            if prefix not in lost:
                of_prefixes.setdefault(prefix, routes)
        every = (route for routes in of_prefixes.values() for route in routes)
        found[node.name] = ExpectedRoutes(tuple(every), vpns)
    return found


def learned_nics(
    lab: str, begun: Sequence[PlannedNode], pushing: Collection[str]
) -> dict[str, tuple[tuple[Network, str], ...]]:
    """The NIC towards each prefix that IS-IS brings, of the nodes that push segments: of several ways the first."""
    asking = {node.name for node in begun if node.name in pushing and node.routing and node.routing.isis}
    if not asking:
        return {}
    found = expected_routes(Plan(lab, "", tuple(begun), (), {}), only=asking)
    return {
        name: tuple({one.prefix: one.nic for one in reversed(routes.routes)}.items())
        for name, routes in found.items()
    }
