"""What FRR of a node is told of its VPNs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

    def takes_from(self, other: PlannedVrf) -> bool:
        """Whether it imports the routes of another VRF on the node."""
        return other != self and bool(set(self.import_targets) & set(other.export_targets))


def beyond_namespaces(vrfs: Iterable[PlannedVrf]) -> Iterator[tuple[str, str, str]]:
    """Where one VRF of a node takes routes from another that no network namespaces can lead: the two, and why. FRR leads
    IPv6 over the other VRF's loopback, of which Linux makes a route that refuses, and what a customer's router has told
    over a NIC of the other VRF."""
    for vrf in (vrfs := tuple(vrfs)):
        for other in vrfs:
            if vrf.takes_from(other) and 6 in {*vrf.versions} & {*other.versions}:
                yield vrf.name, other.name, "IPv6 routes"
            elif vrf.takes_from(other) and other.neighbors:
                yield vrf.name, other.name, "customers' routes"


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
