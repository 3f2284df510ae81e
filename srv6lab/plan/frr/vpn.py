"""What FRR of a node is told of its VPNs."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from srv6lab.plan.frr.bgp import PlannedNeighbor, planned_neighbor
from srv6lab.plan.frr.links import links_of
from srv6lab.plan.frr.locator import function_of
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.routing.vrf import Vrf

FIRST_TABLE = 1001


@dataclass(frozen=True, slots=True)
class PlannedVrf:
    """A VPN: `function` is that of its SID, `table` the routing table of its VRF where the kernel has VRFs."""

    name: str
    table: int
    nics: tuple[str, ...]
    rd: str
    import_targets: tuple[str, ...]
    export_targets: tuple[str, ...]
    sid: IPv6Address
    function: int
    redistribute: tuple[str, ...]
    neighbors: tuple[PlannedNeighbor, ...]


def vpn_tables(node: Node) -> dict[str, int]:
    """The tables of a node's VPNs."""
    return {name: FIRST_TABLE + index for index, name in enumerate(node.vpns)}


def plan_vpn(topology: Topology, name: str, node: Node, index: int, item: tuple[str, Vrf]) -> PlannedVrf:
    vrf_name, vrf = item
    nics = (link.endpoints[end] for link, end in links_of(topology, name))
    return PlannedVrf(
        name=vrf_name,
        table=FIRST_TABLE + index,
        nics=tuple(nic.nic for nic in nics if nic.vrf == vrf_name),
        rd=vrf.rd,
        import_targets=vrf.import_targets,
        export_targets=vrf.export_targets,
        sid=vrf.sid,
        function=function_of(node, vrf),
        redistribute=vrf.redistribute,
        neighbors=tuple(planned_neighbor(topology, name, one, vrf_name) for one in vrf.neighbors),
    )
