"""The routes that routing protocols must have brought once they have converged: a file for each protocol.

It is what the model forwards by, and what `up` waits for. Each router has a routing table (`rib.py`), which protocols fill
and redistribute from, round after round, until none of them changes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from srv6lab.plan.converged.bgp.tables import Bgp, Unsettled
from srv6lab.plan.converged.bgp.values import Tables
from srv6lab.plan.converged.isis import IsisRoutes
from srv6lab.plan.converged.ospf import OspfPaths
from srv6lab.plan.converged.rib import Rib, own_routes
from srv6lab.plan.converged.vpn import of_other_sites, over_links, vrfs_of
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.scalars import Network

__all__ = ["converged", "expected_routes", "learned_nics"]

ROUNDS = 30
_LEARNED = ("ospf", "ospf6", "isis", "bgp", "ibgp")


@dataclass(frozen=True, slots=True)
class Converged:
    """The routing table of every node, and the tables of every BGP speaker."""

    ribs: dict[str, Rib]
    tables: Tables = field(default_factory=dict)


def converged(plan: Plan, withdrawn: Collection[str] = (), only: Collection[str] | None = None) -> Converged:
    """What all routers know in the end. The nodes in `withdrawn` have lost their locator, and with it the SIDs of their
    VPNs; `only` some nodes are asked for, which saves time where no protocol needs what another has brought."""
    bgp, isis = Bgp(plan, withdrawn), IsisRoutes(plan, withdrawn)
    ospf = [OspfPaths(plan, version) for version in (2, 3)]
    apart = not bgp.sessions and not any(one.routing and one.routing.redistributes for one in plan.nodes)
    only = only if apart else None
    nodes = [node for node in plan.nodes if only is None or node.name in only]
    own = {node.name: Rib(own_routes(node)) for node in nodes}
    ribs = own
    for _ in range(ROUNDS):
        before = ribs
        ribs = {
            node.name: own[node.name]
            .with_routes(route for version in ospf for route in version.routes(node, before))
            .with_routes(isis.routes(node, before))
            for node in nodes
        }
        if apart:  # no protocol needs what another has brought
            return Converged(ribs)
        known = {name: rib.with_routes(bgp.routes(name, before[name])) for name, rib in ribs.items()}
        bgp.settle(known)
        ribs = {name: rib.with_routes(bgp.routes(name, known[name])) for name, rib in ribs.items()}
        if ribs == before:
            return Converged(ribs, bgp.tables)
    raise Unsettled


def expected_routes(
    plan: Plan, withdrawn: Collection[str] = (), only: Collection[str] | None = None
) -> dict[str, ExpectedRoutes]:
    """The routes of every node with routing protocols, or of those in `only`."""
    whole = converged(plan, withdrawn, only)
    return {
        node.name: _expected(node, whole)
        for node in plan.nodes
        if node.routing and (only is None or node.name in only)
    }


def _expected(node: PlannedNode, whole: Converged) -> ExpectedRoutes:
    rib = whole.ribs[node.name]
    learned = (route for route in rib if route.protocol in _LEARNED and not route.own_sid)
    vpns = {vrf.name: tuple(of_other_sites(node, vrf, whole.tables, rib)) for vrf in vrfs_of(node)}
    inside = {vrf.name: tuple(over_links(node, vrf, whole.tables)) for vrf in vrfs_of(node)}
    return ExpectedRoutes(tuple(way for route in learned for way in route.planned()), vpns, inside)


def learned_nics(
    lab: str, begun: Sequence[PlannedNode], pushing: Collection[str]
) -> dict[str, tuple[tuple[Network, str], ...]]:
    """The NIC towards each prefix that routing protocols bring, of the nodes that push segments: of several ways the first."""
    asking = {node.name for node in begun if node.name in pushing and node.routing}
    if not asking:
        return {}
    found = expected_routes(Plan(lab, "", tuple(begun), (), {}), only=asking)
    return {
        name: tuple({one.prefix: one.nic for one in reversed(routes.routes)}.items())
        for name, routes in found.items()
    }
