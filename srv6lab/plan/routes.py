"""The routes that routing protocols must have brought once they have converged: IS-IS by Dijkstra, BGP over its
sessions, VPN routes by their targets.

It is what the model forwards by, and what `up` waits for. It knows only what labs have: one IS-IS level, BGP
networks handed on into IS-IS at the border, VPN routes that every speaker of their family passes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_network

from srv6lab.evidence.packets import Point
from srv6lab.plan.frr import PlannedVrf
from srv6lab.plan.nodes import Machine, Nic, Plan, PlannedRoute
from srv6lab.topology.scalars import Network


@dataclass(frozen=True, slots=True)
class VpnRoute:
    """A prefix of another site, to be reached by the End.DT4 of the node that it is behind."""

    prefix: Network
    sid: IPv6Address


@dataclass(frozen=True, slots=True)
class Converged:
    """What one node has learned; `vpns` by the name of the VRF."""

    routes: tuple[PlannedRoute, ...] = ()
    vpns: Mapping[str, tuple[VpnRoute, ...]] = field(default_factory=dict)


def converged(plan: Plan, withdrawn: Collection[str] = ()) -> dict[str, Converged]:
    """The routes of every node with routing protocols; the nodes in `withdrawn` have lost their locator, and
    with it the SIDs of their VPNs."""
    lost = {plan.machine(name).locator for name in withdrawn}
    speakers = [machine for machine in plan.machines if machine.routing]
    ends = {nic.point: nic for nic in plan.nics()}
    trees = {machine.name: dict(_ways(machine, plan, ends)) for machine in speakers}
    found = {}
    for machine in speakers:
        vpns = {vrf.name: tuple(_imported(plan, machine, vrf, withdrawn)) for vrf in _vrfs(machine)}
        routes = [
            *_isis(plan, machine, trees),
            *_external(plan, machine, trees, ends),
            *_from_pe(plan, machine, withdrawn),
        ]
        found[machine.name] = Converged(
            tuple(_first_of_each(one for one in routes if one.prefix not in lost)), vpns
        )
    return found


def _first_of_each(routes: Iterable[PlannedRoute]) -> Iterator[PlannedRoute]:
    seen: set[Network] = set()
    for route in routes:
        if route.prefix not in seen:
            seen.add(route.prefix)
            yield route


def _vrfs(machine: Machine) -> tuple[PlannedVrf, ...]:
    return machine.routing.vrfs if machine.routing else ()


# --- IS-IS


def _ways(machine: Machine, plan: Plan, ends: Mapping[Point, Nic]) -> Iterator[tuple[str, tuple[Nic, Nic]]]:
    """For every node that IS-IS leads to the first link on the shortest way: the near and the far end."""
    queue: list[tuple[int, int, str, tuple[Nic, Nic] | None]] = [(0, 0, machine.name, None)]
    done: set[str] = set()
    while queue:
        cost, _, name, first = heapq.heappop(queue)
        if name in done:
            continue
        done.add(name)
        if first:
            yield name, first
        for nic, metric in _isis_nics(plan.machine(name)):
            far = ends[nic.peer]
            heapq.heappush(queue, (cost + metric, len(done), far.point.node, first or (nic, far)))


def _isis_nics(machine: Machine) -> Iterator[tuple[Nic, int]]:
    if machine.routing and machine.routing.isis:
        metrics = {nic.nic: nic.metric for nic in machine.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in machine.nics if nic.name in metrics)


def _isis(
    plan: Plan, machine: Machine, trees: Mapping[str, Mapping[str, tuple[Nic, Nic]]]
) -> Iterator[PlannedRoute]:
    own = set(_announced(machine))
    for name, (near, far) in trees[machine.name].items():
        for prefix in _announced(plan.machine(name)):
            if prefix not in own:
                yield PlannedRoute(prefix, far.address.ip, near.name)


def _announced(machine: Machine) -> Iterator[Network]:
    """The prefixes that a node tells of in IS-IS."""
    if machine.loopback:
        yield machine.loopback.network
    if machine.routing and machine.routing.locator:
        yield machine.routing.locator
    yield from (nic.address.network for nic, _ in _isis_nics(machine))


# --- BGP


def _external(
    plan: Plan,
    machine: Machine,
    trees: Mapping[str, Mapping[str, tuple[Nic, Nic]]],
    ends: Mapping[Point, Nic],
) -> Iterator[PlannedRoute]:
    """What the other ASes announce: over the border from the node there, else by the way to that node."""
    for border in plan.machines:
        for networks, near, far in _borders(plan, border, ends):
            if border is machine:
                yield from (PlannedRoute(prefix, far.address.ip, near.name) for prefix in networks)
            elif _hands_on(border) and (way := trees[machine.name].get(border.name)):
                yield from (PlannedRoute(prefix, way[1].address.ip, way[0].name) for prefix in networks)


def _hands_on(machine: Machine) -> bool:
    isis = machine.routing.isis if machine.routing else None
    return isis is not None and "bgp" in isis.redistribute


def _borders(
    plan: Plan, machine: Machine, ends: Mapping[Point, Nic]
) -> Iterator[tuple[tuple[IPv6Network, ...], Nic, Nic]]:
    """The networks that each neighbor in another AS announces, and the two ends of the link to it."""
    bgp = machine.routing.bgp if machine.routing else None
    for one in bgp.neighbors if bgp else ():
        there = plan.machine(one.node).routing
        if there is None or there.bgp is None or "ipv6" not in one.families or one.source:
            continue
        for nic in machine.nics:
            if (far := ends[nic.peer]).point.node == one.node:
                yield there.bgp.networks, nic, far


# --- VPNs


def _imported(
    plan: Plan, machine: Machine, vrf: PlannedVrf, withdrawn: Collection[str]
) -> Iterator[VpnRoute]:
    """The prefixes of all other VRFs with a target that this one imports."""
    reached = _sessions_lead_to(plan, machine)
    for other in plan.machines:
        for one in _vrfs(other):
            if other.name in reached - set(withdrawn) and set(one.export_targets) & set(vrf.import_targets):
                yield from (VpnRoute(prefix, one.sid) for prefix in _sites(other, one))


def _sessions_lead_to(plan: Plan, machine: Machine) -> set[str]:
    """The other nodes that VPN routes come from: sessions of their family, one after the other."""
    waiting, found = [machine.name], {machine.name}
    while waiting:
        routing = plan.machine(waiting.pop()).routing
        for vrf, one in routing.sessions() if routing else ():
            if not vrf and "vpnv4" in one.families and one.node not in found:
                found.add(one.node)
                waiting.append(one.node)
    return found - {machine.name}


def _sites(machine: Machine, vrf: PlannedVrf) -> Iterator[Network]:
    if "connected" in vrf.redistribute:
        yield from (ip_network(nic.address.network) for nic in machine.nics if nic.name in vrf.nics)


def _from_pe(plan: Plan, machine: Machine, withdrawn: Collection[str]) -> Iterator[PlannedRoute]:
    """What a customer's router hears from the provider's: its VPN's prefixes."""
    for provider in plan.machines:
        for vrf in _vrfs(provider):
            for nic in provider.nics:
                if nic.name in vrf.nics and nic.peer.node == machine.name and _is_neighbor(vrf, machine):
                    heard = [one.prefix for one in _imported(plan, provider, vrf, withdrawn)]
                    yield from (PlannedRoute(prefix, nic.address.ip, nic.peer.nic) for prefix in heard)


def _is_neighbor(vrf: PlannedVrf, machine: Machine) -> bool:
    return any(one.node == machine.name for one in vrf.neighbors)
