"""A node that takes no SRH at its own addresses."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node = scene.nic(visit.came), scene.node(visit)
        if nic and visit.came and visit.came.packet.outer.srh and scene.sid(visit) is None:
            switch = f"/proc/sys/net/ipv6/conf/{nic.name}/seg6_enabled"
            if visit.came.packet.outer.destination in node.addresses():
                truth = f"seg6_enabled is off on {nic.name} of {node.name}"
                do, mend = (at(node.name, f"echo {value} >{switch}") for value in (0, 1))
                yield Fault(node.name, truth, do, mend)


KIND = Kind(
    "seg6-off",
    1,
    "a node takes no SRH that ends at an address of its own (seg6_enabled)",
    "A SID needs no seg6_enabled, and an SRH that ends at an address does: RFC 8754 section 4.3.2 is a switch in Linux.",
    "echo 1 into seg6_enabled of the NIC",
    ("seg6-disabled",),
    _find,
)
