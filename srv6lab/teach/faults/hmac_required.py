"""A NIC that takes no SRH without an HMAC."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        nic, srh = scene.nic(visit.came), visit.came.packet.outer.srh if visit.came else None
        if nic and srh and srh.hmac is None:
            switch = f"/proc/sys/net/ipv6/conf/{nic.name}/seg6_require_hmac"
            node = visit.place.node
            do, mend = (at(node, f"echo {value} >{switch}") for value in (1, 0))
            yield Fault(node, f"{nic.name} of {node} takes no SRH without an HMAC", do, mend)


KIND = Kind(
    "hmac-required",
    2,
    "a NIC takes no SRH without an HMAC (seg6_require_hmac)",
    "Whether an SRH needs an HMAC is said at each NIC by itself, and the sender isn't told.",
    "echo 0 into seg6_require_hmac of the NIC",
    ("hmac-required",),
    _find,
)
