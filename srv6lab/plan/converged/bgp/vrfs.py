"""What VRFs and the tables of VPNs take over from each other (RFC 4364 section 4.3, RFC 9252 section 5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from srv6lab.plan.converged.bgp.values import OF_VPNS, BgpRoute, Speaker, Tables
from srv6lab.plan.frr.bgp import OF_UNICAST
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.nodes import PlannedNode


def exported(node: PlannedNode, tables: Tables, withdrawn: Collection[str]) -> Iterator[BgpRoute]:
    """What the VRFs of a node put into its tables of VPNs: what they have selected, but for what came from there. A node
    without its locator has no SIDs to tell of."""
    for vrf in node.routing.vrfs if node.routing and node.name not in withdrawn else ():
        speaker = Speaker(node.name, vrf.name)
        for sid in vrf.sids:
            for version in sid.versions:
                for best, *_ in tables.get(speaker, {}).get(OF_UNICAST[version], {}).values():
                    if best.imported is None:
                        yield replace(
                            best,
                            rd=vrf.rd,
                            targets=vrf.export_targets,
                            sid=sid.sid,
                            imported=speaker,
                            next_hop=None,
                        )


def imported(node: PlannedNode, vrf: PlannedVrf, tables: Tables) -> Iterator[BgpRoute]:
    """What a VRF takes out of the tables of VPNs: what has one of its targets, of other nodes and of other VRFs here."""
    main, itself = Speaker(node.name), Speaker(node.name, vrf.name)
    for version in vrf.versions:
        for paths in tables.get(main, {}).get(OF_VPNS[version], {}).values():
            for route in paths:
                if route.imported != itself and set(route.targets) & set(vrf.import_targets):
                    yield replace(route, rd="", targets=(), imported=route.imported or main)
