"""A neighbor's MAC that somebody typed in, and wrong."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, via, node = scene.nic(visit.out), scene.next_hop(visit), visit.place.node
        if nic and via and all(one.address != via for one in scene.node(visit).neighbors):
            neigh = f"{ip(via.version)} neigh"
            do = f"{neigh} replace {via} lladdr {STRANGER} dev {nic.name} nud permanent"
            truth = f"{node} has a wrong MAC for its neighbor {via} on {nic.name}"
            yield Fault(node, truth, at(node, do), at(node, f"{neigh} del {via} dev {nic.name}"))


STRANGER = "02:00:00:00:00:99"

KIND = Kind(
    "neighbor-wrong",
    1,
    "a node has a wrong MAC for a neighbor, typed in by hand",
    "Below every segment is a link: a frame for a MAC that nobody has is taken by nobody.",
    "delete the neighbor's entry; the node asks for it then",
    ("neighbor",),
    _find,
)
