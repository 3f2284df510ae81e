"""A router that doesn't forward."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    spoken = any(node.routing for node in scene.plan.nodes)  # FRR's advertisements give a host an address
    for visit in scene.routed():
        node = visit.place.node
        if visit.came and visit.out and scene.sid(visit) is None and scene.node(visit).forwards:
            version = visit.came.packet.outer.destination.version
            if version == 6 and spoken:
                continue
            switch = f"/proc/sys/net/ipv{version}/{'conf/all/forwarding' if version == 6 else 'ip_forward'}"
            do, mend = (at(node, f"echo {value} >{switch}") for value in (0, 1))
            yield Fault(node, f"{node} doesn't forward IPv{version}", do, mend)


KIND = Kind(
    "forwarding-off",
    1,
    "a router doesn't forward packets",
    "A machine is a router because a switch says so, one for each family.",
    "switch forwarding on",
    ("forwarding-off",),
    _find,
)
