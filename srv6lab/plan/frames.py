"""Frames that headends put into SRv6 whole (H.Encaps.L2, RFC 8986 sections 5.3 and 5.4), and where they come out again
(End.DX2, section 4.9).

Linux encapsulates the frame that an IP packet came in. So what comes in by such a NIC is looked up in a table of the
NIC's own, and what isn't IP, ARP above all, stays behind: nodes on such a link are told their neighbors' MACs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

from srv6lab.evidence.packets import Point
from srv6lab.topology.model import Topology
from srv6lab.topology.scalars import Address, Network
from srv6lab.topology.steering import Steering

FIRST_TABLE = 2000
PREFERENCE = 500  # of the rule: before all that other parts of Day0 lay


@dataclass(frozen=True, slots=True)
class SteeredFrames:
    """Frames that come in by `by`, with packets to these prefixes, get an SRH with `segments`, first visited first, and
    leave by `nic`; `hmac` is the number of the key that signs it."""

    by: str
    prefixes: tuple[Network, ...]
    segments: tuple[IPv6Address, ...]
    mode: str
    nic: str
    hmac: int | None = None

    @property
    def table(self) -> int:
        """Where what comes in by the NIC is looked up."""
        return table_of(self.by)

    @property
    def preference(self) -> int:
        return PREFERENCE


@dataclass(frozen=True, slots=True)
class FixedNeighbor:
    """A neighbor that nobody has to be asked for: frames lead to it, and ARP doesn't."""

    address: Address
    mac: str
    nic: str


def table_of(nic: str) -> int:
    return FIRST_TABLE + int(nic.removeprefix("eth"))


def steered_frames(steering: Steering, egress_nic: Callable[[Address], str | None]) -> SteeredFrames | None:
    """What a headend does with frames, or None where there is no way to the first segment."""
    out, match = egress_nic(steering.segments[0]), steering.match
    if out is None or match.nic is None:
        return None
    return SteeredFrames(match.nic, match.prefixes, steering.segments, steering.mode, out, steering.hmac)


def circuits(topology: Topology, steering: Iterable[Steering]) -> frozenset[Point]:
    """The attachment circuits: NICs by which frames come in whole, or go out. They take frames for any MAC."""
    ins = {Point(one.headend, str(one.match.nic)) for one in steering if one.of_frames}
    return frozenset(ins | {Point(one.node, one.nic) for one in topology.local_sids if one.nic})


def across(topology: Topology, steering: Iterable[Steering]) -> Iterator[tuple[Point, Point]]:
    """Of each steering of frames the NIC that they come from, and the one that they come to in the end."""
    ends = {
        end.point: link.endpoints[1 - n].point
        for link in topology.links
        if len(link.endpoints) == 2
        for n, end in enumerate(link.endpoints)
    }
    sids = {one.sid: Point(one.node, one.nic) for one in topology.local_sids if one.nic}
    for one in steering:
        if one.of_frames and one.segments[-1] in sids:
            yield ends[Point(one.headend, str(one.match.nic))], ends[sids[one.segments[-1]]]
