"""The routes that routing protocols must have brought once they have converged: IS-IS by Dijkstra, with all
ways that are equally short, BGP over its sessions, VPN routes by their targets.

It is what the model forwards by, and what `up` waits for. It knows only what labs have: one IS-IS level, BGP
networks handed on into IS-IS at the border, VPN routes that every speaker of their family passes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv6Address, IPv6Network

from srv6lab.evidence.packets import Point
from srv6lab.plan.frr import PlannedVrf
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedRoute
from srv6lab.srv6.policy.graph import nearest_first
from srv6lab.topology.scalars import Network

Ways = Callable[[str], tuple[tuple[Nic, Nic], ...]]
Learned = tuple[Network, tuple[PlannedRoute, ...]]


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A prefix of another site, to be reached by the End.DT4 of the node that it is behind."""

    prefix: Network
    sid: IPv6Address


@dataclass(frozen=True, slots=True)
class ExpectedRoutes:
    """What one node has learned, a route for each way of a prefix; `vpns` by the name of the VRF."""

    routes: tuple[PlannedRoute, ...] = ()
    vpns: Mapping[str, tuple[VpnRoute, ...]] = field(default_factory=dict)


def expected_routes(
    plan: Plan, withdrawn: Collection[str] = (), only: Collection[str] | None = None
) -> dict[str, ExpectedRoutes]:
    """The routes of every node with routing protocols, or of those in `only`; the nodes in `withdrawn` have lost their
    locator, and with it the SIDs of their VPNs."""
    lost = {plan.node(name).locator for name in withdrawn}
    speakers = [node for node in plan.nodes if node.routing and (only is None or node.name in only)]
    ends = {nic.point: nic for nic in plan.nics()}
    far = _Far(plan)
    found = {}
    for node in speakers:
        vpns = {vrf.name: tuple(_imported(plan, node, vrf, withdrawn)) for vrf in _vrfs(node)}
        ways = partial(_ways, node, far, ends)
        of_prefixes: dict[Network, tuple[PlannedRoute, ...]] = {}
        for prefix, routes in (
            *_isis(plan, node, far[node.name], ways),
            *_external(plan, node, ways, ends),
            *_from_pe(plan, node, withdrawn),
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


def _vrfs(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()


# --- IS-IS


class _Far(dict[str, dict[str, int]]):
    """From each node how far each other is that IS-IS leads to, the nearest first; found out when it is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._nodes = {node.name: node for node in plan.nodes}

    def __missing__(self, source: str) -> dict[str, int]:
        def moves(far: int, name: str) -> Iterator[tuple[int, str]]:
            return ((far + metric, nic.peer.node) for nic, metric in _isis_nics(self._nodes[name]))

        self[source] = {name: far for far, name in nearest_first(0, source, moves)}
        return self[source]


def _ways(
    node: PlannedNode, far: Mapping[str, Mapping[str, int]], ends: Mapping[Point, Nic], to: str
) -> tuple[tuple[Nic, Nic], ...]:
    """The first link of each shortest way to another node: its near and its far end. None where none leads there."""
    whole = far[node.name].get(to)
    return tuple(
        (nic, ends[nic.peer])
        for nic, metric in _isis_nics(node)
        if whole is not None and far[nic.peer.node].get(to, whole) + metric == whole
    )


def _isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    if node.routing and node.routing.isis:
        metrics = {nic.nic: nic.metric for nic in node.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in node.nics if nic.name in metrics)


def _isis(plan: Plan, node: PlannedNode, far: Mapping[str, int], ways: Ways) -> Iterator[Learned]:
    """Over all that announce a prefix at the least cost."""
    own = {prefix for prefix, _ in _announced(node)}
    costs: dict[Network, dict[str, int]] = {}
    for name, distance in far.items():
        for prefix, metric in _announced(plan.node(name)) if name != node.name else ():
            if prefix not in own:
                costs.setdefault(prefix, {})[name] = distance + metric
    for prefix, of_nodes in costs.items():
        nearest = [name for name, cost in of_nodes.items() if cost == min(of_nodes.values())]
        yield _learned(prefix, (way for name in nearest for way in ways(name)))


def _learned(prefix: Network, ways: Iterable[tuple[Nic, Nic]]) -> Learned:
    return prefix, tuple(
        PlannedRoute(prefix, (there.of(prefix.version) or there.address).ip, near.name)
        for near, there in sorted(set(ways), key=lambda way: way[0].point)
    )


def _announced(node: PlannedNode) -> Iterator[tuple[Network, int]]:
    """The prefixes that a node tells of in IS-IS, each with what it costs from there."""
    yield from ((one.network, 0) for one in node.loopbacks if one.version == 6)
    if node.routing and node.routing.locator:
        yield node.routing.locator, 0
    for nic, metric in _isis_nics(node):
        yield from ((network, metric) for network in nic.networks() if _is_announced(network))


def _is_announced(network: Network) -> bool:
    return network.version == 6 and not network.is_link_local


# --- BGP


def _external(plan: Plan, node: PlannedNode, ways: Ways, ends: Mapping[Point, Nic]) -> Iterator[Learned]:
    """What the other ASes announce: over the border from the node there, else by the ways to that node."""
    for border in plan.nodes:
        for networks, near, there in _borders(plan, border, ends):
            if border is node:
                yield from (_learned(prefix, [(near, there)]) for prefix in networks)
            elif _hands_on(border) and (found := ways(border.name)):
                yield from (_learned(prefix, found) for prefix in networks)


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
            for far in (ends[point] for point in nic.peers if point.node == one.node):
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
        nics = (nic for nic in node.nics if nic.name in vrf.nics)
        yield from (network for nic in nics for network in nic.networks() if network.version == 4)


def _from_pe(plan: Plan, node: PlannedNode, withdrawn: Collection[str]) -> Iterator[Learned]:
    """What a customer's router hears from the provider's: its VPN's prefixes, those elsewhere and those there."""
    for provider in plan.nodes:
        for vrf in _vrfs(provider):
            for nic in provider.nics:
                far = next((one for one in nic.peers if one.node == node.name), None)
                if nic.name in vrf.nics and far and _is_neighbor(vrf, node):
                    there = (one for one in _sites(provider, vrf) if one not in {*nic.networks()})
                    elsewhere = (one.prefix for one in _imported(plan, provider, vrf, withdrawn))
                    for prefix in (*elsewhere, *there):
                        yield prefix, (PlannedRoute(prefix, nic.address.ip, far.nic),)


def _is_neighbor(vrf: PlannedVrf, node: PlannedNode) -> bool:
    return any(one.node == node.name for one in vrf.neighbors)
