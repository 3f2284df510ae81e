"""A router that no neighbor hears of."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.visits:
        node, nic = scene.node(visit), scene.nic(visit.out)
        isis = node.routing.isis if node.routing else None
        if (
            isis
            and nic
            and any(one.nic == nic.name and one.neighbors and not one.passive for one in isis.nics)
        ):
            words = [
                f"vtysh -c 'configure terminal' -c 'interface {nic.name}' -c '{no}isis passive'"
                for no in ("", "no ")
            ]
            gone = f"for i in $(seq 50); do vtysh -c 'show isis neighbor' | grep -q ' {nic.name} ' || break; sleep 0.2; done"
            truth = f"IS-IS of {node.name} is passive on {nic.name}"
            yield Fault(node.name, truth, at(node.name, words[0], gone), at(node.name, words[1]))


KIND = Kind(
    "isis-passive",
    2,
    "IS-IS of a router is passive on a link to another router",
    "A passive NIC is told of, and never spoken on: both ends lose each other, and all that lies behind.",
    "take `passive` away",
    ("differs",),
    _find,
)
