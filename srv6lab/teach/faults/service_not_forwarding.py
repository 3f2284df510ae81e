"""A service that looks at packets and keeps them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.visits:
        if visit.place.netns and visit.came and visit.out:
            version = visit.came.packet.outer.destination.version
            node, netns = visit.place.node, visit.place.netns
            switch = f"/proc/sys/net/ipv{version}/{'conf/all/forwarding' if version == 6 else 'ip_forward'}"
            do, mend = (at(node, f"ip netns exec {netns} sh -c 'echo {value} >{switch}'") for value in (0, 1))
            yield Fault(node, f"the service {netns} of {node} doesn't forward IPv{version}", do, mend)


KIND = Kind(
    "service-not-forwarding",
    2,
    "a service behind an SR proxy doesn't hand packets on",
    "What goes into a service must come out of it again: a proxy can only give back what it gets back.",
    "switch forwarding on in the service's namespace",
    ("forwarding-off",),
    _find,
)
