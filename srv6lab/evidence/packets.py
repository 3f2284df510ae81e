"""What a packet looked like at a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from srv6lab.topology.places import Place as Place
from srv6lab.topology.places import Point as Point

Address = IPv4Address | IPv6Address
ETHERNET_HEADER = 14


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


def wire(**tshark: str) -> int | None:
    """A number of a header, None where it isn't there: what tshark calls it in each protocol that has it. Capture and
    predict read every such attribute without being told of it."""
    number: int | None = field(default=None, metadata={"tshark": tshark})
    return number


class Direction(StrEnum):
    """Seen from the node that owns the NIC."""

    IN = "in"
    OUT = "out"


_HMAC, _KEY = b"\x05", 8  # the type of such a TLV; its bytes up to the digest


@dataclass(frozen=True, slots=True)
class Srh:
    """A Segment Routing Header as it stands on the wire (RFC 8754 section 2).

    `segment_list[0]` is the LAST segment of the path. `tlvs` are the bytes behind the segments, None where tshark wasn't
    asked for them.
    """

    segment_list: tuple[IPv6Address, ...]
    segments_left: int
    last_entry: int
    flags: int = 0
    tag: int = 0
    hdr_ext_len: int | None = None
    tlvs: bytes | None = None

    @property
    def hmac(self) -> int | None:
        """The number of its HMAC's key, where the HMAC is its first TLV (RFC 8754 section 2.1.2)."""
        tlv = self.tlvs or b""
        return int.from_bytes(tlv[4:8]) if tlv[:1] == _HMAC and len(tlv) > _KEY else None


@dataclass(frozen=True, slots=True)
class IpHeader:
    """One IP header of a packet, with the SRH that follows it, if one does.

    `protocol` is the name of what comes after all of its extension headers:
    icmp, icmpv6, tcp, udp, ipv4, ipv6, ethernet, or the protocol's number. `next_header` is the name of what
    follows at once: one of these, routing, fragment, hopopts or dstopts. Of a frame that it holds, the MACs.
    """

    source: Address
    destination: Address
    hop_limit: int
    protocol: str
    srh: Srh | None = None
    next_header: str = ""
    frame_source: str | None = None
    frame_destination: str | None = None
    flow_label: int | None = wire(ipv6="ipv6.flow")
    version: int | None = wire(ip="ip.version", ipv6="ipv6.version")
    header_length: int | None = wire(ip="ip.hdr_len")
    traffic_class: int | None = wire(ip="ip.dsfield", ipv6="ipv6.tclass")
    length_field: int | None = wire(ip="ip.len", ipv6="ipv6.plen")
    identification: int | None = wire(ip="ip.id")
    flags: int | None = wire(ip="ip.flags")
    fragment_offset: int | None = wire(ip="ip.frag_offset")
    checksum_status: int | None = wire(ip="ip.checksum.status")


RIGHT, WRONG = 1, 0  # what tshark says of a checksum that it has computed


@dataclass(frozen=True, slots=True)
class Icmp:
    """The ICMP or ICMPv6 header that a probe is told by; identifier and sequence of an echo."""

    type: int
    code: int
    identifier: int | None = wire(icmp="icmp.ident", icmpv6="icmpv6.echo.identifier")
    sequence: int | None = wire(icmp="icmp.seq", icmpv6="icmpv6.echo.sequence_number")
    checksum: int | None = wire(icmp="icmp.checksum", icmpv6="icmpv6.checksum")
    checksum_status: int | None = wire(icmp="icmp.checksum.status", icmpv6="icmpv6.checksum.status")


_ERRORS = frozenset({("icmp", one) for one in (3, 4, 11, 12)} | {("icmpv6", one) for one in (1, 2, 3, 4)})


def is_error(protocol: str, kind: int) -> bool:
    """Whether an ICMP message of that type says that a packet was lost (RFC 792, RFC 4443 section 2.1)."""
    return (protocol, kind) in _ERRORS


@dataclass(frozen=True, slots=True)
class Udp:
    """A UDP header."""

    source_port: int | None = wire(udp="udp.srcport")
    destination_port: int | None = wire(udp="udp.dstport")
    length: int | None = wire(udp="udp.length")
    checksum: int | None = wire(udp="udp.checksum")
    checksum_status: int | None = wire(udp="udp.checksum.status")


@dataclass(frozen=True, slots=True)
class Tcp:
    """The ports of a TCP header, which tell whose a segment is."""

    source_port: int | None = wire(tcp="tcp.srcport")
    destination_port: int | None = wire(tcp="tcp.dstport")


@dataclass(frozen=True, slots=True)
class PacketView:
    """A packet in a pcap as tshark saw it; `headers` from the outermost to the innermost.

    `number` is the frame's number in its file, `time` is seconds since the epoch (for people;
    nothing is decided by it), `length` is bytes on the wire (0 for any number), `payload` what lies behind the
    innermost transport header. A MAC is "" where the tracer kept none; `outgoing` is the tracer's own word of whether
    its node sent the packet, `ip_bytes` the outermost IP header's of how long the packet is. `echo_time` is what tshark
    takes for the time at the beginning of an echo's payload, which then lacks it. `quoted` is the packet that an ICMP
    error speaks of, with its innermost IP header.
    """

    number: int
    time: float
    length: int
    source_mac: str
    destination_mac: str
    headers: tuple[IpHeader, ...] = ()
    icmp: Icmp | None = None
    payload: bytes = b""
    outgoing: bool | None = None
    ip_bytes: int | None = None
    udp: Udp | None = None
    tcp: Tcp | None = None
    echo_time: str = ""
    quoted: PacketView | None = None

    @property
    def ip_length(self) -> int:
        """Bytes of the IP packet: by its header, or else what is left of the frame behind an Ethernet header; 0 for any
        number."""
        return max(0, self.length - ETHERNET_HEADER) if self.ip_bytes is None else self.ip_bytes

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
