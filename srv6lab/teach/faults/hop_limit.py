"""A host that begins with a small hop limit."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, node = scene.nic(visit.out), visit.place.node
        if nic and visit.out and visit.begins:
            six = visit.out.packet.outer.destination.version == 6
            switch = f"/proc/sys/net/{f'ipv6/conf/{nic.name}/hop_limit' if six else 'ipv4/ip_default_ttl'}"
            do, mend = (at(node, f"echo {value} >{switch}") for value in (FEW, 64))
            yield Fault(node, f"{node} begins with hop limit {FEW}", do, mend)


FEW = 32

KIND = Kind(
    "hop-limit",
    2,
    "a host sends with another hop limit than usual",
    "The inner hop limit counts only where the inner header is looked at: it tells who sent, and who routed.",
    "set the hop limit that hosts begin with to 64",
    ("hop-limit",),
    _find,
)
