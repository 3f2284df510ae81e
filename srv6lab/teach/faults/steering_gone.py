"""A headend that steers nothing."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        policy, node = scene.policy(visit), visit.place.node
        line = policy and scene.day0(node, f"route replace {policy.prefix}")
        if policy and line:
            truth = f"{node} steers nothing to {policy.prefix}"
            gone = f"{ip(policy.prefix.version)} route del {policy.prefix}"
            yield Fault(node, truth, at(node, gone), at(node, line))


KIND = Kind(
    "steering-gone",
    1,
    "the headend has no policy for this traffic",
    "Nothing is steered by itself: the headend's route is what pushes the segments.",
    "steer the prefix again",
    ("policy-missing",),
    _find,
)
