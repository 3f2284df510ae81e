"""A node that drops what isn't routed back the way it came."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node, out = scene.nic(visit.came), scene.node(visit), visit.out
        source = visit.came.packet.innermost.source if visit.came else None
        if (
            nic is None
            or source is None
            or out is None
            or {source.version, out.packet.outer.source.version} != {4}
        ):
            continue  # what goes on in a tunnel isn't asked
        if node.egress_nic(source) != nic.name:
            switch = f"/proc/sys/net/ipv4/conf/{nic.name}/rp_filter"
            do, mend = (at(node.name, f"echo {value} >{switch}") for value in (2, 0))
            yield Fault(node.name, f"rp_filter is on for {nic.name} of {node.name}", do, mend)


KIND = Kind(
    "rp-filter",
    2,
    "a node drops what it decapsulates, since its source isn't routed back that way (rp_filter)",
    "What comes out of a tunnel comes from where its source isn't routed: rp_filter has to be off there.",
    "switch rp_filter off on the NIC that it comes in by",
    ("rp-filter",),
    _find,
)
