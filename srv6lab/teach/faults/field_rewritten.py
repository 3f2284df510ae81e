"""A router that marks packets."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.rules import OPEN, ruled
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node = scene.nic(visit.out), scene.node(visit)
        if nic and visit.out and visit.came and node.forwards:
            word = "ip6" if visit.out.packet.outer.destination.version == 6 else "ip"
            rule = ruled("postrouting", f"oifname {nic.name} {word} dscp set 46")
            truth = f"a rule of {node.name} writes another traffic class into what leaves by {nic.name}"
            yield Fault(node.name, truth, at(node.name, *rule), at(node.name, OPEN))


KIND = Kind(
    "field-rewritten",
    2,
    "a router writes into packets that it should only forward",
    "A field that nobody looks at changes unseen: compare a packet before a node with the same behind it.",
    "take the rule away",
    ("field-rewritten",),
    _find,
)
