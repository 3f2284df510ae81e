"""A queue that lets nothing out."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node = scene.nic(visit.out), scene.node(visit)
        if nic and node.routing is None and node.headend is None and not node.proxies:
            truth = f"the queue of {nic.name} of {node.name} drops all packets"
            do = f"tc qdisc replace dev {nic.name} root tbf rate 8bit burst 200 limit 200"
            undo = f"tc qdisc del dev {nic.name} root"
            yield Fault(node.name, truth, at(node.name, do), at(node.name, undo))


KIND = Kind(
    "queue-lossy",
    2,
    "a queue of a NIC drops packets (tc)",
    "A NIC that is up, with the right routes, may still send nothing: its queue stands between them.",
    "take the queue away",
    ("traffic-control",),
    _find,
)
