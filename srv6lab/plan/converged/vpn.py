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
    """The prefixes of all other VRFs with a target that this one imports, in the families that both have."""
    for version in vrf.versions:
        reached = _sessions_lead_to(plan, node, f"vpnv{version}")
        for other in plan.nodes:
            for one in vrfs_of(other):
                sid = one.sid_for(version)
                wanted = set(one.export_targets) & set(vrf.import_targets)
                if sid and wanted and other.name in reached - set(withdrawn):
                    yield from (VpnRoute(prefix, sid.sid) for prefix in _sites(other, one, version))


def vrfs_of(node: PlannedNode) -> tuple[PlannedVrf, ...]:
    return node.routing.vrfs if node.routing else ()


def _sessions_lead_to(plan: Plan, node: PlannedNode, family: str) -> set[str]:
    """The other nodes that VPN routes come from: sessions of their family, one after the other."""

    def moves(far: int, name: str) -> Iterator[tuple[int, str]]:
        routing = plan.node(name).routing
        for vrf, one in routing.sessions() if routing else ():
            if not vrf and family in one.families:
                yield far + 1, one.node

    return {name for _, name in nearest_first(0, node.name, moves)} - {node.name}


def _sites(node: PlannedNode, vrf: PlannedVrf, version: int) -> Iterator[Network]:
    if "connected" in vrf.redistribute:
        nics = (nic for nic in node.nics if nic.name in vrf.nics)
        networks = (network for nic in nics for network in nic.networks())
        yield from (one for one in networks if one.version == version and not one.is_link_local)


def from_pe(plan: Plan, node: PlannedNode, withdrawn: Collection[str]) -> Iterator[Learned]:
    """What a customer's router hears from the provider's: its VPN's prefixes, those elsewhere and those there."""
    for provider in plan.nodes:
        for vrf in vrfs_of(provider):
            for nic in provider.nics:
                far = next((one for one in nic.peers if one.node == node.name), None)
                if nic.name in vrf.nics and far:
                    for prefix in _told(plan, provider, vrf, node, withdrawn):
                        if prefix not in {*nic.networks()}:
                            via = nic.of(prefix.version) or nic.address
                            yield prefix, (PlannedRoute(prefix, via.ip, far.nic),)


def _told(
    plan: Plan, provider: PlannedNode, vrf: PlannedVrf, node: PlannedNode, withdrawn: Collection[str]
) -> Iterator[Network]:
    """The prefixes that a VRF tells a customer's router, in the families of their session."""
    families = {family for one in vrf.neighbors if one.node == node.name for family in one.families}
    for version in vrf.versions:
        if f"ipv{version}" in families:
            elsewhere = imported(plan, provider, vrf, withdrawn)
            yield from (one.prefix for one in elsewhere if one.prefix.version == version)
            yield from _sites(provider, vrf, version)
