"""A firewall on a host that drops pings."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.rules import OPEN, dropping
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node, protocol = visit.place.node, visit.came.packet.innermost.protocol if visit.came else ""
        if visit.out is None and protocol in RULES and not scene.node(visit).forwards:
            family = "ip" if protocol == "icmp" else "ip6"
            truth = f"a firewall of {node} drops pings"
            yield Fault(node, truth, at(node, *dropping(family, "input", RULES[protocol])), at(node, OPEN))


RULES = {
    "icmp": "icmp type { echo-request, echo-reply }",
    "icmpv6": "icmpv6 type { echo-request, echo-reply }",
}

KIND = Kind(
    "firewall-icmp",
    1,
    "a firewall of a host drops pings",
    "A ping that isn't answered was perhaps delivered: a capture at the last NIC says so.",
    "take the rule away",
    ("firewall",),
    _find,
)
