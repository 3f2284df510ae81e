"""A segment list that lacks one."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        policy, node = scene.policy(visit), visit.place.node
        line = policy and scene.day0(node, f"route replace {policy.prefix}")
        for gone in policy.segments if policy and line and len(policy.segments) > 1 else ():
            if policy and line:
                now = ",".join(str(one) for one in policy.segments if one != gone)
                truth = f"{node} steers {policy.prefix} without the segment {gone}"
                other = line.replace(",".join(map(str, policy.segments)), now)
                yield Fault(node, truth, at(node, other), at(node, line))


KIND = Kind(
    "segment-dropped",
    2,
    "the headend's segment list lacks a segment",
    "A ping that comes through says nothing of the way it took: look at the segment list.",
    "steer over all segments",
    ("policy-differs",),
    _find,
)
