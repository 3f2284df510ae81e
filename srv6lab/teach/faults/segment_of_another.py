"""A segment list with another node's SID in it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        policy, node = scene.policy(visit), visit.place.node
        line = policy and scene.day0(node, f"route replace {policy.prefix}")
        for number, was in enumerate(policy.segments if policy and line else ()):
            for sid, owner in _of_others(scene, was):
                if policy and line and owner != node and sid not in policy.segments:
                    now = (*policy.segments[:number], sid, *policy.segments[number + 1 :])
                    before, after = (",".join(map(str, one)) for one in (policy.segments, now))
                    truth = f"{node} steers {policy.prefix} over {sid} of {owner} instead of {was}"
                    yield Fault(node, truth, at(node, line.replace(before, after)), at(node, line))


def _of_others(scene: Scene, sid: IPv6Address) -> Iterator[tuple[IPv6Address, str]]:
    """The SIDs of nodes that haven't this one, the first of each."""
    for node in scene.plan.nodes:
        mine = [one.sid for one in node.local_sids]
        if mine and sid not in mine:
            yield mine[0], node.name


KIND = Kind(
    "segment-of-another",
    1,
    "a segment of the headend's list is a SID of another node",
    "What a segment does, and where, is told by nothing but its address: know whose locator it is in.",
    "steer over the right segments",
    ("segment-of-another-node", "policy-differs"),
    _find,
)
