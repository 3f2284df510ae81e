"""An address that a NIC has lost."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    ends = {nic.point: nic for nic in scene.plan.nics()}
    for visit in scene.routed():
        nic, node = scene.nic(visit.came), scene.node(visit)
        if nic is None or visit.came is None or node.routing or node.headend:
            continue
        one = nic.of(visit.came.packet.outer.destination.version)
        if one and (laid := scene.day0_of(node.name, nic.name)):
            forget = f"{ip(one.version)} neigh flush {one.ip} dev {nic.peer.nic}"
            far = at(ends[nic.peer].point.node, forget)
            do = (*at(node.name, f"ip address del {one} dev {nic.name}"), *far)
            truth = f"{nic.name} of {node.name} has no address {one}"
            yield Fault(node.name, truth, do, (*at(node.name, *laid), *far))


KIND = Kind(
    "address-missing",
    2,
    "a NIC has lost its address, so its neighbors can't find it",
    "A next hop is an address: if nobody has it, the one before it waits for an answer, and the packet is lost there.",
    "give the NIC its address again, and lay the routes that went with it",
    ("address-missing",),
    _find,
)
