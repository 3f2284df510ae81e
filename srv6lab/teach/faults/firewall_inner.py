"""A firewall that drops IP in IPv6."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.rules import OPEN, dropping
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node = visit.place.node
        if visit.came and len(visit.came.packet.headers) > 1:
            version = visit.came.packet.headers[1].source.version
            truth = f"a firewall of {node} drops IPv{version} in IPv6"
            rule = dropping("ip6", "prerouting", f"meta l4proto {PROTOCOLS[version]}")
            yield Fault(node, truth, at(node, *rule), at(node, OPEN))


PROTOCOLS = {4: 4, 6: 41}

KIND = Kind(
    "firewall-inner",
    1,
    "a firewall drops IP that is carried in IPv6",
    "Behind the SRH comes protocol 4 or 41: a firewall in the core has to let tunnels through.",
    "take the rule away",
    ("firewall",),
    _find,
)
