"""A SID that a node on the way has, too, though it is another one's."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node, nic = scene.node(visit), scene.nic(visit.out)
        if visit.came is None or nic is None or not node.forwards or scene.sid(visit):
            continue
        sid = visit.came.packet.outer.destination
        owners = [one.name for one in scene.plan.nodes if any(sid == had.sid for had in one.local_sids)]
        if owners and node.name not in owners and visit.came.packet.outer.srh:
            truth = f"{node.name} has the SID {sid}, which is of {owners[0]}"
            add = f"ip -6 route add {sid}/128 encap seg6local action End dev {nic.name}"
            yield Fault(node.name, truth, at(node.name, add), at(node.name, f"ip -6 route del {sid}/128"))


KIND = Kind(
    "sid-of-another",
    2,
    "a node on the way has a SID that belongs to another node",
    "A SID is a route of 128 bits: whoever has it first on the way takes the packet.",
    "delete the SID where it doesn't belong",
    ("sid-of-another-node",),
    _find,
)
