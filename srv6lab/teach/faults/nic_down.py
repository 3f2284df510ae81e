"""A NIC that is down."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node, nic = scene.node(visit), scene.nic(visit.out)
        if nic and node.routing is None and node.headend is None:
            mend = (f"ip link set {nic.name} up", *scene.day0_of(node.name, nic.name))
            truth = f"{nic.name} of {node.name} is down"
            yield Fault(node.name, truth, at(node.name, f"ip link set {nic.name} down"), at(node.name, *mend))


KIND = Kind(
    "nic-down",
    1,
    "a NIC is down",
    "What goes down with a NIC doesn't come up with it: its IPv6 addresses, routes, and SIDs have to be laid again.",
    "set the NIC up, and lay again what went with it",
    ("nic-down",),
    _find,
)
