"""A rule that is asked before any route."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node = scene.nic(visit.came), scene.node(visit)
        if nic and visit.came and visit.out and node.forwards and not node.vrfs:
            word = ip(visit.came.packet.outer.destination.version)
            truth = f"a rule of {node.name} refuses what comes by {nic.name}"
            do = at(node.name, f"{word} rule add iif {nic.name} prohibit pref 10")
            yield Fault(node.name, truth, do, at(node.name, f"{word} rule del pref 10"))


KIND = Kind(
    "rule-refuses",
    2,
    "a rule (ip rule) of a router takes the packet before its routes do",
    "Before any route come the rules that say which table is asked: `ip rule` shows them.",
    "delete the rule",
    ("policy-rule",),
    _find,
)
