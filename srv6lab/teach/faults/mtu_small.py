"""A link with too little room for an SRH."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.largest:
        nic = scene.nic(visit.out)
        size = visit.out.packet.ip_length if visit.out else None
        if nic and size and size > LEAST and nic.mtu >= size:
            mend = f"ip link set {nic.name} mtu {nic.mtu}"
            truth = f"the MTU of {nic.name} of {visit.place.node} is {LEAST}, and {size} bytes have to pass"
            do = f"ip link set {nic.name} mtu {LEAST}"
            yield Fault(visit.place.node, truth, at(visit.place.node, do), at(visit.place.node, mend))


LEAST = 1280  # RFC 8200 section 5: IPv6 has no link with less

KIND = Kind(
    "mtu-small",
    2,
    "the MTU of a NIC on the way is too small for large packets",
    "Each segment adds 16 bytes, and a tunnel 40 more: what is small passes, and what is large is lost.",
    "give the NIC its MTU again",
    ("mtu",),
    _find,
)
