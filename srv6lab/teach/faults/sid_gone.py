"""A SID that was never typed in."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        sid = scene.sid(visit)
        if sid and (line := scene.day0(visit.place.node, f"route replace {sid.prefix}")):
            truth = f"{visit.place.node} has no SID {sid.sid} ({sid.behavior.name})"
            yield Fault(
                visit.place.node,
                truth,
                at(visit.place.node, f"ip -6 route del {sid.prefix}"),
                at(visit.place.node, line),
            )


KIND = Kind(
    "sid-gone",
    1,
    "a SID isn't installed on the node that it belongs to",
    "A segment is an instruction that somebody has to install. Where its SID isn't, the locator alone leads there.",
    "install the SID again",
    ("sid-not-installed",),
    _find,
)
