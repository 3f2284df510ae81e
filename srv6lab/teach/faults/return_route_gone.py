"""A host that can't answer."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.prediction import Leg
from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        route, node = scene.route(visit), visit.place.node
        line = route and scene.day0(node, f"route replace {route.prefix}")
        if route and line and visit.leg is Leg.BACK and visit.begins:
            truth = f"{node} has no route back to {route.prefix}"
            gone = f"{ip(route.prefix.version)} route del {route.prefix}"
            yield Fault(node, truth, at(node, gone), at(node, line))


KIND = Kind(
    "return-route-gone",
    2,
    "the receiver has no route back to the sender",
    "No answer doesn't mean that the request didn't come: look at both ways, each by itself.",
    "lay the route back",
    ("route-missing",),
    _find,
)
