"""The routes of VPNs, in their VRFs and at their customers' routers."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from srv6lab.plan.converged.values import Learned, VpnRoute
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.srv6.policy.graph import nearest_first
from srv6lab.topology.scalars import Network


def imported(
    plan: Plan, node: PlannedNode, vrf: PlannedVrf, withdrawn: Collection[str]
) -> Iterator[VpnRoute]:
    """The prefixes of all other VRFs with a target that this one imports."""
    reached = _sessions_lead_to(plan, node)
    for other in plan.nodes:
        for one in vrfs_of(other):
            if other.name in reached - set(withdrawn) and set(one.export_targets) & set(vrf.import_targets):
                yield from (VpnRoute(prefix, one.sid) for prefix in _sites(other, one))


def vrfs_of(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()


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


def from_pe(plan: Plan, node: PlannedNode, withdrawn: Collection[str]) -> Iterator[Learned]:
    """What a customer's router hears from the provider's: its VPN's prefixes, those elsewhere and those there."""
    for provider in plan.nodes:
        for vrf in vrfs_of(provider):
            for nic in provider.nics:
                far = next((one for one in nic.peers if one.node == node.name), None)
                if nic.name in vrf.nics and far and _is_neighbor(vrf, node):
                    there = (one for one in _sites(provider, vrf) if one not in {*nic.networks()})
                    elsewhere = (one.prefix for one in imported(plan, provider, vrf, withdrawn))
                    for prefix in (*elsewhere, *there):
                        yield prefix, (PlannedRoute(prefix, nic.address.ip, far.nic),)


def _is_neighbor(vrf: PlannedVrf, node: PlannedNode) -> bool:
    return any(one.node == node.name for one in vrf.neighbors)
