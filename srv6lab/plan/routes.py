"""The routes that routing protocols must have brought once they have expected_routes: IS-IS by Dijkstra, BGP over its
sessions, VPN routes by their targets.

It is what the model forwards by, and what `up` waits for. It knows only what labs have: one IS-IS level, BGP
networks handed on into IS-IS at the border, VPN routes that every speaker of their family passes on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_network
from itertools import count

from srv6lab.evidence.packets import Point
from srv6lab.plan.frr import PlannedVrf
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedRoute
from srv6lab.srv6.policy.graph import nearest_first
from srv6lab.topology.scalars import Network


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A prefix of another site, to be reached by the End.DT4 of the node that it is behind."""

    prefix: Network
    sid: IPv6Address


@dataclass(frozen=True, slots=True)
class ExpectedRoutes:
    """What one node has learned; `vpns` by the name of the VRF."""

    routes: tuple[PlannedRoute, ...] = ()
    vpns: Mapping[str, tuple[VpnRoute, ...]] = field(default_factory=dict)


def expected_routes(plan: Plan, withdrawn: Collection[str] = ()) -> dict[str, ExpectedRoutes]:
    """The routes of every node with routing protocols; the nodes in `withdrawn` have lost their locator, and
    with it the SIDs of their VPNs."""
    lost = {plan.node(name).locator for name in withdrawn}
    speakers = [node for node in plan.nodes if node.routing]
    ends = {nic.point: nic for nic in plan.nics()}
    trees = {node.name: dict(_ways(node, plan, ends)) for node in speakers}
    found = {}
    for node in speakers:
        vpns = {vrf.name: tuple(_imported(plan, node, vrf, withdrawn)) for vrf in _vrfs(node)}
        routes = [
            *_isis(plan, node, trees),
            *_external(plan, node, trees, ends),
            *_from_pe(plan, node, withdrawn),
        ]
        found[node.name] = ExpectedRoutes(
            tuple(_first_of_each(one for one in routes if one.prefix not in lost)), vpns
        )
    return found


def _first_of_each(routes: Iterable[PlannedRoute]) -> Iterator[PlannedRoute]:
    seen: set[Network] = set()
    for route in routes:
        if route.prefix not in seen:
            seen.add(route.prefix)
            yield route


def _vrfs(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()


# --- IS-IS


def _ways(node: PlannedNode, plan: Plan, ends: Mapping[Point, Nic]) -> Iterator[tuple[str, tuple[Nic, Nic]]]:
    """For every node that IS-IS leads to the first link on the shortest way: the near and the far end."""
    nics = {nic.name: nic for nic in node.nics}
    order = count()

    def moves(cost: tuple[int, int, str], name: str) -> Iterator[tuple[tuple[int, int, str], str]]:
        """Of equal ways the one that was found first."""
        far, _, first = cost
        number = next(order)
        for nic, metric in _isis_nics(plan.node(name)):
            yield (far + metric, number, first or nic.name), nic.peer.node

    for (_, _, first), name in nearest_first((0, 0, ""), node.name, moves):
        if first:
            yield name, (nics[first], ends[nics[first].peer])


def _isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    if node.routing and node.routing.isis:
        metrics = {nic.nic: nic.metric for nic in node.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in node.nics if nic.name in metrics)


def _isis(
    plan: Plan, node: PlannedNode, trees: Mapping[str, Mapping[str, tuple[Nic, Nic]]]
) -> Iterator[PlannedRoute]:
    own = set(_announced(node))
    for name, (near, far) in trees[node.name].items():
        for prefix in _announced(plan.node(name)):
            if prefix not in own:
                yield PlannedRoute(prefix, far.address.ip, near.name)


def _announced(node: PlannedNode) -> Iterator[Network]:
    """The prefixes that a node tells of in IS-IS."""
    if node.loopback:
        yield node.loopback.network
    if node.routing and node.routing.locator:
        yield node.routing.locator
    yield from (nic.address.network for nic, _ in _isis_nics(node))


# --- BGP


def _external(
    plan: Plan,
    node: PlannedNode,
    trees: Mapping[str, Mapping[str, tuple[Nic, Nic]]],
    ends: Mapping[Point, Nic],
) -> Iterator[PlannedRoute]:
    """What the other ASes announce: over the border from the node there, else by the way to that node."""
    for border in plan.nodes:
        for networks, near, far in _borders(plan, border, ends):
            if border is node:
                yield from (PlannedRoute(prefix, far.address.ip, near.name) for prefix in networks)
            elif _hands_on(border) and (way := trees[node.name].get(border.name)):
                yield from (PlannedRoute(prefix, way[1].address.ip, way[0].name) for prefix in networks)


def _hands_on(node: PlannedNode) -> bool:
    isis = node.routing.isis if node.routing else None
    return isis is not None and "bgp" in isis.redistribute


def _borders(
    plan: Plan, node: PlannedNode, ends: Mapping[Point, Nic]
) -> Iterator[tuple[tuple[IPv6Network, ...], Nic, Nic]]:
    """The networks that each neighbor in another AS announces, and the two ends of the link to it."""
    bgp = node.routing.bgp if node.routing else None
    for one in bgp.neighbors if bgp else ():
        there = plan.node(one.node).routing
        if there is None or there.bgp is None or "ipv6" not in one.families or one.source:
            continue
        for nic in node.nics:
            if (far := ends[nic.peer]).point.node == one.node:
                yield there.bgp.networks, nic, far


# --- VPNs


def _imported(
    plan: Plan, node: PlannedNode, vrf: PlannedVrf, withdrawn: Collection[str]
) -> Iterator[VpnRoute]:
    """The prefixes of all other VRFs with a target that this one imports."""
    reached = _sessions_lead_to(plan, node)
    for other in plan.nodes:
        for one in _vrfs(other):
            if other.name in reached - set(withdrawn) and set(one.export_targets) & set(vrf.import_targets):
                yield from (VpnRoute(prefix, one.sid) for prefix in _sites(other, one))


def _sessions_lead_to(plan: Plan, node: PlannedNode) -> set[str]:
    """The other nodes that VPN routes come from: sessions of their family, one after the other."""

    def moves(far: int, name: str) -> Iterator[tuple[int, str]]:
        routing = plan.node(name).routing
        for vrf, one in routing.sessions() if routing else ():
            if not vrf and "vpnv4" in one.families:
                yield far + 1, one.node

    return {name for _, name in nearest_first(0, node.name, moves)} - {node.name}


def _sites(node: PlannedNode, vrf: PlannedVrf) -> Iterator[Network]:
    if "connected" in vrf.redistribute:
        yield from (ip_network(nic.address.network) for nic in node.nics if nic.name in vrf.nics)


def _from_pe(plan: Plan, node: PlannedNode, withdrawn: Collection[str]) -> Iterator[PlannedRoute]:
    """What a customer's router hears from the provider's: its VPN's prefixes."""
    for provider in plan.nodes:
        for vrf in _vrfs(provider):
            for nic in provider.nics:
                if nic.name in vrf.nics and nic.peer.node == node.name and _is_neighbor(vrf, node):
                    heard = [one.prefix for one in _imported(plan, provider, vrf, withdrawn)]
                    yield from (PlannedRoute(prefix, nic.address.ip, nic.peer.nic) for prefix in heard)


def _is_neighbor(vrf: PlannedVrf, node: PlannedNode) -> bool:
    return any(one.node == node.name for one in vrf.neighbors)
