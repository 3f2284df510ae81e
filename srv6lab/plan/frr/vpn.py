"""What FRR of a node is told of its VPNs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from srv6lab.plan.frr.bgp import PlannedNeighbor, planned_neighbor
from srv6lab.plan.frr.links import links_of
from srv6lab.plan.frr.locator import sids_of_vpns
from srv6lab.topology.model import Node, Topology
from srv6lab.topology.scalars import Network
from srv6lab.topology.vpn_sids import VpnSid

FIRST_TABLE = 1001


@dataclass(frozen=True, slots=True)
class PlannedVrf:
    """A VPN: `table` is the routing table of its VRF where the kernel has VRFs. `import_targets` has those of the VRFs
    that it imports, too."""

    name: str
    table: int
    nics: tuple[str, ...]
    rd: str
    import_targets: tuple[str, ...]
    export_targets: tuple[str, ...]
    sids: tuple[VpnSid, ...]
    redistribute: tuple[str, ...]
    networks: tuple[Network, ...]
    neighbors: tuple[PlannedNeighbor, ...]

    @property
    def versions(self) -> tuple[int, ...]:
        """The IP versions that its SIDs take, and that it tells of."""
        return tuple(version for one in self.sids for version in one.versions)

    def sid_for(self, version: int) -> VpnSid | None:
        """The SID that takes an IP version."""
        return next((one for one in self.sids if version in one.versions), None)


def vpn_tables(node: Node) -> dict[str, int]:
    """The tables of a node's VPNs."""
    return {name: FIRST_TABLE + index for index, name in enumerate(node.vpns)}


def plan_vpns(topology: Topology, name: str, node: Node) -> Iterator[PlannedVrf]:
    sids, tables = sids_of_vpns(topology, name, node), vpn_tables(node)
    for vrf_name, vrf in node.vpns.items():
        nics = (link.endpoints[end] for link, end in links_of(topology, name))
        leaked = (node.vpns[other].export_targets for other in vrf.import_vrf if other in node.vpns)
        targets = (*vrf.import_targets, *(target for one in leaked for target in one))
        yield PlannedVrf(
            name=vrf_name,
            table=tables[vrf_name],
            nics=tuple(nic.nic for nic in nics if nic.vrf == vrf_name),
            rd=vrf.rd,
            import_targets=tuple(dict.fromkeys(targets)),
            export_targets=vrf.export_targets,
            sids=sids.get(vrf_name, ()),
            redistribute=vrf.redistribute,
            networks=vrf.networks,
            neighbors=tuple(planned_neighbor(topology, name, one, vrf_name) for one in vrf.neighbors),
        )
