"""A route to a locator over the wrong neighbor."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    ends = {nic.point: nic for nic in scene.plan.nics()}
    for visit in scene.routed():
        route, node = scene.route(visit), scene.node(visit)
        line = route and scene.day0(node.name, f"route replace {route.prefix}")
        for nic in node.nics if route and line else ():
            peer = ends[nic.peer].of(route.prefix.version) if route else None
            if route and line and peer and nic.name != route.nic and not nic.vrf:
                other = line.replace(f"via {route.via} dev {route.nic}", f"via {peer.ip} dev {nic.name}")
                truth = f"{node.name} sends {route.prefix} to {peer.ip} by {nic.name}, not to {route.via}"
                yield Fault(node.name, truth, at(node.name, other), at(node.name, line))


KIND = Kind(
    "route-elsewhere",
    2,
    "a router on the way sends the packet to the wrong neighbor",
    "A packet that goes round in circles, or comes to a stranger, is lost far from where it was sent astray.",
    "lay the route over the right neighbor",
    ("route-missing", "route-unplanned"),
    _find,
)
