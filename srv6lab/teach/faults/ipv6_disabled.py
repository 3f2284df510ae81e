"""IPv6 switched off on a NIC."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        node, nic = scene.node(visit), scene.nic(visit.out)
        if nic and nic.of(6) and node.routing is None and node.headend is None:
            switch = f"/proc/sys/net/ipv6/conf/{nic.name}/disable_ipv6"
            mend = (f"echo 0 >{switch}", *scene.day0_of(node.name, nic.name))
            truth = f"IPv6 is off on {nic.name} of {node.name}"
            yield Fault(node.name, truth, at(node.name, f"echo 1 >{switch}"), at(node.name, *mend))


KIND = Kind(
    "ipv6-disabled",
    2,
    "IPv6 is switched off on a NIC, which is up all the same",
    "A NIC that is up, and whose IPv4 works, may have no IPv6 at all: SRv6 needs it on every link of the way.",
    "switch IPv6 on there, and lay again what went with it",
    ("ipv6-disabled", "address-missing", "route-missing", "sid-not-installed", "policy-missing"),
    _find,
)
