"""A host that answers no ping."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.prediction import Leg
from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        protocol, node = visit.came.packet.innermost.protocol if visit.came else "", visit.place.node
        if visit.out is None and visit.leg is Leg.THERE and protocol in SWITCHES:
            switch = f"/proc/sys/net/{SWITCHES[protocol]}"
            do, mend = (at(node, f"echo {value} >{switch}") for value in (1, 0))
            yield Fault(node, f"{node} is told not to answer pings", do, mend)


SWITCHES = {"icmp": "ipv4/icmp_echo_ignore_all", "icmpv6": "ipv6/icmp/echo_ignore_all"}

KIND = Kind(
    "echo-ignored",
    1,
    "a host is told not to answer pings",
    "The network may be right, and who doesn't answer is the host: captures tell the one from the other.",
    "echo 0 into echo_ignore_all",
    ("echo-ignored",),
    _find,
)
