"""An SR proxy without its SID."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in (one for one in scene.visits if not one.place.netns):
        to = visit.came.packet.outer.destination if visit.came else None
        for proxy in (one for one in scene.node(visit).proxies if one.sid == to):
            node, add = visit.place.node, scene.day0_proxy(visit.place.node, proxy.sid)
            if add:
                truth = f"the proxy of {node} has no SID {proxy.sid} ({proxy.behavior.name})"
                yield Fault(node, truth, at(node, f"srconf localsid del {proxy.sid}"), at(node, add))


KIND = Kind(
    "proxy-sid-gone",
    1,
    "an SR proxy hasn't the SID of its service",
    "A service that knows no SRv6 is reached by a SID of its proxy, and by nothing else.",
    "give the proxy its SID again",
    ("proxy-sid-not-installed",),
    _find,
)
