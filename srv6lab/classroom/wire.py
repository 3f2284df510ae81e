"""A probe's packets as bytes: what leaves one end of a link comes in at the other, with the lab's own MACs, and what a
router doesn't touch stays as it was sent. Whoever edits packets forgets one of these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from srv6lab.capture import pcap
from srv6lab.classroom.forged import FORGED, ODD, Suspicion
from srv6lab.evidence.packets import ETHERNET_HEADER, WRONG, Direction, PacketView, Point
from srv6lab.evidence.prediction import Hop
from srv6lab.judge.grade import Graded
from srv6lab.plan.nodes import Nic, Plan

_ETHERNET = 1  # LINKTYPE_ETHERNET
_CHECKSUM = 2  # bytes


@dataclass(frozen=True, slots=True)
class _Fault:
    """One packet that gives it away; of many of a `kind` the first is told."""

    kind: str
    sure: str
    hop: Hop
    what: str


def of_packets(plan: Plan, exercise: str, graded: Graded) -> Iterator[Suspicion]:
    """What is amiss of the packets that carry this run's tokens."""
    hops = [
        hop for found in graded.found.values() if found.sent.token and found.counted for hop in found.hops
    ]
    traces = {nic.point: f"{nic.trace}.pcap" for nic in plan.traced()}
    found = [*_macs(plan, hops), *_payloads(hops, traces), *_checksums(hops)]
    found += _links(plan, hops, graded)
    told: dict[str, list[_Fault]] = {}
    for one in found:
        told.setdefault(one.kind, []).append(one)
    for faults in told.values():
        first = faults[0]
        where = f"{traces[first.hop.point]} of {exercise}, packet {first.hop.packet.number}"
        more = f"; {len(faults) - 1} more like it" if len(faults) > 1 else ""
        yield Suspicion(first.sure, f"{where}: {first.what}{more}", exercise)


def _macs(plan: Plan, hops: Iterable[Hop]) -> Iterator[_Fault]:
    """MACs follow from the lab and the node, and each learner's nodes have names of their own."""
    nics = {nic.point: nic for nic in plan.traced()}
    far_ends = plan.far_ends()
    every = {nic.mac for nic in (*nics.values(), *plan.nics())}
    every |= {nic.mac for ends in far_ends.values() for nic in ends}  # also what a service is wired to
    if any(node.own.commands for node in plan.nodes):  # which may make NICs of their own
        return
    for hop in hops:
        ends = (nics[hop.point], *far_ends[hop.point])
        used = {mac for mac in (hop.packet.source_mac, hop.packet.destination_mac) if mac and _unicast(mac)}
        if strange := sorted(used - every):
            yield _Fault("mac", FORGED, hop, f"MAC {strange[0]} is of no NIC of this learner's lab")
        elif not any(nic.circuit for nic in ends) and (other := sorted(used - {nic.mac for nic in ends})):
            yield _Fault("other mac", ODD, hop, f"MAC {other[0]} is of another link's NIC")


def _payloads(hops: Iterable[Hop], traces: Mapping[Point, str]) -> Iterator[_Fault]:
    """What is behind the innermost header goes through a network untouched."""
    first: dict[Hashable, Hop] = {}
    for hop in hops:
        if (identity := _identity(hop.packet)) is None:
            continue
        known = first.setdefault(identity, hop)
        if known.packet.payload != hop.packet.payload and known.packet.echo_time == hop.packet.echo_time:
            at = f"{traces[known.point]}, packet {known.packet.number}"
            yield _Fault("payload", FORGED, hop, f"the payload isn't that of the same packet in {at}")


def _checksums(hops: Iterable[Hop]) -> Iterator[_Fault]:
    """Of IPv4 headers and ICMP, which no NIC leaves to another to fill in."""
    for hop in hops:
        view = hop.packet
        if any(header.checksum_status == WRONG for header in view.headers):
            yield _Fault("checksum", FORGED, hop, "the checksum of an IPv4 header is wrong")
        elif view.icmp and view.icmp.checksum_status == WRONG:
            yield _Fault("checksum", FORGED, hop, "the checksum of ICMP is wrong")


def _links(plan: Plan, hops: Iterable[Hop], graded: Graded) -> Iterator[_Fault]:
    """What comes in at one end of a link has left the other, byte for byte, where the tracer there saw all."""
    nics = {nic.point: nic for nic in plan.traced()}
    far_ends = plan.far_ends()
    data = {(hop.point, hop.packet.number): hop for hop in hops}
    frames = dict(_frames(graded.files, data))
    left: dict[Point, Counter[bytes]] = {}
    for key, hop in data.items():
        if hop.direction is Direction.OUT and key in frames:
            left.setdefault(hop.point, Counter())[frames[key]] += 1
    for key, hop in data.items():
        others = far_ends[hop.point]
        if hop.direction is not Direction.IN or key not in frames or not _sound(graded, others):
            continue
        holder = next((nic.point for nic in others if left.get(nic.point, Counter())[frames[key]] > 0), None)
        if holder is not None:
            left[holder][frames[key]] -= 1
            continue
        if not any(_but_checksum(hop, frames[key], one) for nic in others for one in left.get(nic.point, ())):
            yield _Fault("link", FORGED, hop, _never_left(hop, others, nics))


def _never_left(hop: Hop, others: Iterable[Nic], nics: Mapping[Point, Nic]) -> str:
    names = " or ".join(f"{nics[nic.point].trace}.pcap" for nic in others)
    return (
        f"it comes in at {hop.point}, and {names} has no such packet that leaves the other end, byte for byte"
    )


def _sound(graded: Graded, others: Iterable[Nic]) -> bool:
    return all(nic.point in graded.files and graded.tracers[nic.point].sound for nic in others)


def _frames(
    files: Mapping[Point, Path], hops: Mapping[tuple[Point, int], Hop]
) -> Iterator[tuple[tuple[Point, int], bytes]]:
    """The bytes of Ethernet frames, without what fills up short ones."""
    numbers: dict[Point, set[int]] = {}
    for point, number in hops:
        numbers.setdefault(point, set()).add(number)
    for point, those in numbers.items():
        for number, (link, data) in pcap.frames(files[point], those).items():
            if link == _ETHERNET:
                yield (point, number), data[: ETHERNET_HEADER + hops[point, number].packet.ip_length]


def _but_checksum(hop: Hop, one: bytes, other: bytes) -> bool:
    """Whether two frames differ in no more than a UDP checksum, which a node may leave to its NIC to fill in."""
    if not hop.packet.udp or len(one) != len(other):
        return False
    differs = [at for at, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    return bool(differs) and differs[-1] - differs[0] < _CHECKSUM


def _identity(view: PacketView) -> Hashable:
    if view.icmp:
        return "icmp", view.icmp.type, view.icmp.identifier, view.icmp.sequence
    return ("udp", view.udp.source_port, view.udp.destination_port) if view.udp else None


def _unicast(mac: str) -> bool:
    return not int(mac[:2], 16) & 1
