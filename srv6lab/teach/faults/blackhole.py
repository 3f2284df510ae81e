"""A route that throws away what goes to one segment."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        if visit.out is None or not scene.node(visit).forwards or scene.route(visit) is None:
            continue
        node, to = visit.place.node, visit.out.packet.outer.destination
        one = f"{to}/{to.max_prefixlen}"
        truth = f"{node} throws away what goes to {one}"
        add, delete = (f"{ip(to.version)} route {verb} blackhole {one}" for verb in ("add", "del"))
        yield Fault(node, truth, at(node, add), at(node, delete))


KIND = Kind(
    "blackhole",
    2,
    "a route of a router on the way refuses one destination (blackhole)",
    "A route may be there and lead nowhere. Its locator is reached, and one address of it isn't.",
    "delete the route that refuses it",
    ("route-discards", "route-missing"),
    _find,
)
