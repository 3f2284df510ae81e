"""A routing daemon that hangs."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.visits:
        node = scene.node(visit)
        if node.routing and "zebra" in node.routing.route_daemons and not visit.place.netns:
            do, mend = (at(node.name, f"kill -{one} $(cat /run/frr/zebra.pid)") for one in ("STOP", "CONT"))
            yield Fault(node.name, f"zebra of {node.name} is stopped", do, mend)


KIND = Kind(
    "daemon-stopped",
    2,
    "a routing daemon of a router is stopped",
    "What the kernel has it keeps: packets flow on for a while by routes that nobody looks after any more.",
    "let the daemon go on (kill -CONT)",
    ("frozen",),
    _find,
)
