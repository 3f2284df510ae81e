"""A headend whose tunnels begin at another address."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node, out = scene.node(visit), visit.out
        loopback = node.loopback
        if not (out and loopback and len(out.packet.headers) > 1 and "H.Encaps" in visit.behaviors):
            continue
        if node.routing is None and loopback.ip != out.packet.outer.source:
            truth = f"tunnels of {node.name} begin at {loopback.ip}, not at {out.packet.outer.source}"
            do, mend = (
                at(node.name, f"ip sr tunsrc set {one}") for one in (loopback.ip, node.tunnel_source or "::")
            )
            yield Fault(node.name, truth, do, mend)


KIND = Kind(
    "tunnel-source",
    2,
    "the tunnels of a headend begin at another address",
    "The outer source is where errors go, and what filters look at: a ping passes all the same.",
    "set the source of tunnels (ip sr tunsrc)",
    ("tunnel-source",),
    _find,
)
