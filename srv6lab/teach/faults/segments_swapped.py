"""A segment list in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        policy, node = scene.policy(visit), visit.place.node
        line = policy and scene.day0(node, f"route replace {policy.prefix}")
        if policy and line and len(set(policy.segments)) > 1:
            now = ",".join(map(str, policy.segments[::-1]))
            other = line.replace(",".join(map(str, policy.segments)), now)
            truth = f"{node} steers {policy.prefix} over its segments in another order: {now}"
            yield Fault(node, truth, at(node, other), at(node, line))


KIND = Kind(
    "segments-swapped",
    1,
    "the headend pushes the right segments in the wrong order",
    "`segs` is in the order of visiting, and the SRH has it the other way round: the last segment stands first.",
    "steer over the segments in the order of visiting",
    ("segments-out-of-order", "policy-differs"),
    _find,
)
