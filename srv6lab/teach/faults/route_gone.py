"""A router without the route to a locator."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        route, node = scene.route(visit), scene.node(visit)
        line = route and scene.day0(node.name, f"route replace {route.prefix}")
        if route and line and node.forwards:
            gone = f"{ip(route.prefix.version)} route del {route.prefix}"
            truth = f"{node.name} has no route to {route.prefix}"
            yield Fault(node.name, truth, at(node.name, gone), at(node.name, line))


KIND = Kind(
    "route-gone",
    1,
    "a router on the way has no route to where the packet goes next",
    "Between two segments a packet is plain IPv6: each router on the way needs a route to the next locator.",
    "lay the route again",
    ("route-missing",),
    _find,
)
