"""A firewall that drops routing headers, as many do by default."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.rules import OPEN, dropping
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node = visit.place.node
        if visit.came and visit.came.packet.outer.srh:
            truth = f"a firewall of {node} drops IPv6 with a routing header"
            yield Fault(
                node, truth, at(node, *dropping("ip6", "prerouting", "exthdr rt exists")), at(node, OPEN)
            )


KIND = Kind(
    "firewall-srh",
    1,
    "a firewall drops IPv6 packets with a routing header",
    "RFC 5095 has taught firewalls to drop routing headers of type 0, and some drop them all: SRv6 is of type 4.",
    "take the rule away",
    ("firewall",),
    _find,
)
