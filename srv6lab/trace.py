"""The values that the witnesses of a packet hand to each other.

Nothing here reads a file, runs a program or knows a lab: only what a packet looked like
at a point, what somebody said it should look like, and what follows from the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address

from srv6lab.errors import Location

Address = IPv4Address | IPv6Address
ETHERNET_HEADER = 14


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """Where packets are seen: `node:nic`, or `node/netns:nic` for a NIC in a nested namespace."""

    node: str
    nic: str
    netns: str = ""

    def __str__(self) -> str:
        return f"{self.place}:{self.nic}"

    @property
    def place(self) -> str:
        """The network namespace: `node`, or `node/netns`."""
        return f"{self.node}/{self.netns}" if self.netns else self.node

    @classmethod
    def parse(cls, text: str) -> Point:
        """Read `node:nic` or `node/netns:nic`; ValueError for anything else."""
        owner, colon, nic = text.rpartition(":")
        node, _, netns = owner.partition("/")
        if not colon or not node or not nic:
            raise ValueError(f"{text!r} is not a point: write node:nic, as in r1:eth2")
        return cls(node, nic, netns)


def plain(value: object) -> str:
    """A field's value as a text that doesn't depend on who wrote it: 0x0013 and 19 are one number, and so are
    true and 1."""
    if isinstance(value, bool) or value in ("true", "false"):
        return str(int(value in (True, "true")))
    text = str(value)
    try:
        return str(int(text, 0))
    except ValueError:
        return text


class Direction(StrEnum):
    """Seen from the node that owns the NIC."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class Srh:
    """A Segment Routing Header as it stands on the wire (RFC 8754 section 2).

    `segment_list[0]` is the LAST segment of the path.
    """

    segment_list: tuple[IPv6Address, ...]
    segments_left: int
    last_entry: int
    flags: int = 0
    tag: int = 0


@dataclass(frozen=True, slots=True)
class IpHeader:
    """One IP header of a packet, with the SRH that follows it, if one does.

    `protocol` is the name of what comes after all of its extension headers:
    icmp, icmpv6, tcp, udp, ipv4, ipv6, ethernet, or the protocol's number. `next_header` is the name of what
    follows at once: one of these, routing, fragment, hopopts or dstopts.
    """

    source: Address
    destination: Address
    hop_limit: int
    protocol: str
    srh: Srh | None = None
    next_header: str = ""


@dataclass(frozen=True, slots=True)
class Icmp:
    """The ICMP or ICMPv6 header that a probe is told by; identifier and sequence of an echo."""

    type: int
    code: int
    identifier: int | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class PacketView:
    """A packet in a pcap as tshark saw it; `headers` from the outermost to the innermost.

    `number` is the frame's number in its file, `time` is seconds since the epoch (for people;
    nothing is decided by it), `length` is bytes on the wire, `payload` what lies behind the
    innermost transport header.
    """

    number: int
    time: float
    length: int
    source_mac: str
    destination_mac: str
    headers: tuple[IpHeader, ...] = ()
    icmp: Icmp | None = None
    payload: bytes = b""

    @property
    def ip_length(self) -> int:
        """Bytes of the IP packet: the frame without its Ethernet header."""
        return self.length - ETHERNET_HEADER

    @property
    def outer(self) -> IpHeader:
        return self.headers[0]

    @property
    def innermost(self) -> IpHeader:
        return self.headers[-1]

    @property
    def ends(self) -> tuple[Address, Address]:
        """Who sent it, and to whom it goes in the end: behind an SRH that is the last segment."""
        header = self.innermost
        listed = header.srh.segment_list if header.srh else ()
        return header.source, listed[0] if listed else header.destination


@dataclass(frozen=True, slots=True)
class Message:
    """A routing protocol's message as tshark saw it: the values of each field by its name in Wireshark, in the
    order of the wire. Of several in one frame each is one of its own."""

    number: int
    source_mac: str
    protocol: str
    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Hop:
    """One packet at one point; a prediction adds which behavior acted and why, and which of the kernel's
    departures from the RFC have formed the packet so far."""

    point: Point
    direction: Direction
    packet: PacketView
    behavior: str | None = None
    reason: str = ""
    quirks: tuple[str, ...] = ()


class Leg(StrEnum):
    """Which way of a probe: the packet that was sent, or the answer to it."""

    THERE = "there"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class End:
    """How a packet's walk ends: `delivered` at a node (`node/netns` in a nested namespace), or not, and why."""

    delivered: bool
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One walk that is permitted to a probe's packets; `share` is the part of the flows that take it.
    `counted` names the counters that a packet on this walk adds one to."""

    probe: str
    leg: Leg
    hops: tuple[Hop, ...]
    end: End
    share: Fraction = Fraction(1)
    counted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """The walks that a probe's packets may take: by the RFC alone, and by the RFC with the kernel's known
    departures from it. `meanwhile` says that the lab changes while they are sent: then no share is known."""

    probe: str
    rfc: tuple[Trace, ...]
    linux: tuple[Trace, ...]
    meanwhile: bool = False


@dataclass(frozen=True, slots=True)
class Tracer:
    """What is known of the tracer at a point for the time of one run.

    `state` is "live" (whole and drained), "dead", "missing" (no capture handed in) or
    "cut" (the last record is incomplete); `note` says more, for people; `trace` is the name of its
    capture file.
    """

    point: Point
    state: str
    captured: int = 0
    dropped: int = 0
    note: str = ""
    trace: str = ""

    @property
    def sound(self) -> bool:
        """Whether the absence of a packet in this capture proves anything."""
        return self.state == "live" and self.dropped == 0


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of a service's sensor: the inner addresses, and the tunnel's where it looked behind one."""

    service: str
    signature: int
    source: str
    destination: str
    tunnel_source: str = ""
    tunnel_destination: str = ""


@dataclass(frozen=True, slots=True)
class Sensor:
    """A service's sensor at the end of a run: its engine ("none" where the machine has none), whether
    it ran, whether it had looked at all that it was handed, and whether its rules were the lab's."""

    service: str
    engine: str
    alive: bool
    drained: bool
    as_planned: bool = True

    @property
    def sound(self) -> bool:
        """Whether the absence of an alert proves anything."""
        return self.alive and self.drained and self.as_planned


class Status(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was judged. `expected`, `predicted` and `captured` are the three witnesses'
    words for `field`, None where a witness says nothing; `alone` names the one that disagrees
    with the others. `location` is where the author wrote the expectation. `quirks` are the kernel's
    departures from the RFC without which `predicted`, the RFC's word, would not do. `probe` is the one whose packets
    were judged, "" for what is of no probe."""

    kind: str
    status: Status
    point: Point | None
    field: str = ""
    expected: str | None = None
    predicted: str | None = None
    captured: str | None = None
    alone: str | None = None
    location: Location | None = None
    note: str = ""
    direction: Direction | None = None
    quirks: tuple[str, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may have caused a failure: `cause` by its name, `what` in a sentence, `argv` the read-only command
    that proves it in `node` (none where nothing is to be asked there), `about` what its answer is held against.
    `proven` is None as long as nobody asked."""

    cause: str
    node: str
    what: str
    argv: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    proven: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one exercise. A failure that was seen outweighs what could not be seen. `suspects` are the
    likely causes, the likeliest first; those that can't be told apart stand together."""

    exercise: str
    items: tuple[Item, ...]
    schema: int = 1
    suspects: tuple[Suspect, ...] = ()

    @property
    def status(self) -> Status:
        found = {item.status for item in self.items}
        if Status.FAIL in found:
            return Status.FAIL
        if Status.INCONCLUSIVE in found or not found:
            return Status.INCONCLUSIVE
        return Status.PASS
