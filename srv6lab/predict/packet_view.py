"""A packet of the model in the shape in which a captured one is compared."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from srv6lab.evidence.packets import ETHERNET_HEADER, RIGHT, IpHeader, PacketView
from srv6lab.evidence.packets import Icmp as SeenIcmp
from srv6lab.evidence.packets import Srh as SeenSrh
from srv6lab.evidence.packets import Tcp as SeenTcp
from srv6lab.evidence.packets import Udp as SeenUdp
from srv6lab.srv6.packet import (
    Authentication,
    DestinationOptions,
    Ethernet,
    Fragment,
    Header,
    HopByHop,
    Icmp,
    Icmpv6,
    Ipv4,
    Ipv6,
    Packet,
    Routing,
    Srh,
    Tcp,
    Udp,
)
from srv6lab.srv6.packet.build import NUMBERS
from srv6lab.srv6.packet.ipv6 import HEADER

_EXTENSIONS = (HopByHop, DestinationOptions, Routing, Srh, Fragment, Authentication)
_NAMES = {
    NUMBERS[Icmp]: "icmp",
    NUMBERS[Icmpv6]: "icmpv6",
    NUMBERS[Tcp]: "tcp",
    NUMBERS[Udp]: "udp",
    NUMBERS[Ipv4]: "ipv4",
    NUMBERS[Ipv6]: "ipv6",
    NUMBERS[Ethernet]: "ethernet",
}
_NEXT = {
    NUMBERS[Srh]: "routing",
    NUMBERS[Fragment]: "fragment",
    NUMBERS[DestinationOptions]: "dstopts",
    0: "hopopts",
}


@lru_cache(maxsize=4096)
def view(packet: Packet, source_mac: str = "", destination_mac: str = "") -> PacketView:
    """What a tracer would see of an IP packet on an Ethernet link. An empty segment of TCP stands for those of any length."""
    tcp, headers = _tcp(packet), _headers(packet)
    any_length = tcp is not None and not packet.payload
    return PacketView(
        number=0,
        time=0.0,
        length=0 if any_length else ETHERNET_HEADER + size(packet),
        source_mac=source_mac,
        destination_mac=destination_mac,
        headers=tuple(replace(one, length_field=None) for one in headers) if any_length else headers,
        icmp=_icmp(packet),
        payload=packet.payload,
        udp=_udp(packet),
        tcp=tcp,
    )


def size(packet: Packet) -> int:
    """The bytes of an IP packet, as its first header says."""
    first = packet.headers[0]
    if isinstance(first, Ipv4):
        return first.total_length
    if isinstance(first, Ipv6):
        return HEADER.size + first.payload_length
    raise TypeError(f"an IP packet is needed, not {type(first).__name__}")


def _headers(packet: Packet) -> tuple[IpHeader, ...]:
    found: list[IpHeader] = []
    for index, header in enumerate(packet.headers):
        if isinstance(header, Ipv4):
            found.append(_ipv4(header))
        elif isinstance(header, Ipv6):
            last, srh = _behind(packet.headers[index + 1 :], header.next_header)
            found.append(_ipv6(header, last, srh))
        elif isinstance(header, Ethernet) and found:
            source, destination = header.source.hex(":"), header.destination.hex(":")
            found[-1] = replace(found[-1], frame_source=source, frame_destination=destination)
    return tuple(found)


def _ipv4(header: Ipv4) -> IpHeader:
    """Its identification is the sender's own affair."""
    name = _name(header.protocol)
    return IpHeader(
        header.source,
        header.destination,
        header.ttl,
        name,
        next_header=name,
        version=4,
        header_length=20 + len(header.options),
        traffic_class=header.tos,
        length_field=header.total_length,
        flags=header.flags,
        fragment_offset=header.fragment_offset,
        checksum_status=RIGHT,
    )


def _ipv6(header: Ipv6, last: int, srh: SeenSrh | None) -> IpHeader:
    """Its flow label is the sender's own affair."""
    return IpHeader(
        header.source,
        header.destination,
        header.hop_limit,
        _name(last),
        srh,
        _NEXT.get(header.next_header, _name(header.next_header)),
        version=6,
        traffic_class=header.traffic_class,
        length_field=header.payload_length,
    )


def _behind(following: tuple[Header, ...], number: int) -> tuple[int, SeenSrh | None]:
    """What comes after all extension headers, and the first SRH among them."""
    seen: SeenSrh | None = None
    for header in following:
        if not isinstance(header, _EXTENSIONS):
            break
        number = header.next_header
        if isinstance(header, Srh) and seen is None:
            seen = SeenSrh(
                header.segment_list,
                header.segments_left,
                header.last_entry,
                header.flags,
                header.tag,
                header.hdr_ext_len,
                b"".join(one.to_bytes() for one in header.tlvs),
            )
    return number, seen


def _name(number: int) -> str:
    return _NAMES.get(number, str(number))


def _icmp(packet: Packet) -> SeenIcmp | None:
    header = packet.headers[-1]
    if not isinstance(header, Icmp | Icmpv6):
        return None
    identifier, sequence = int.from_bytes(header.rest[:2]), int.from_bytes(header.rest[2:])
    return SeenIcmp(header.type, header.code, identifier, sequence, checksum_status=RIGHT)


def _tcp(packet: Packet) -> SeenTcp | None:
    """Its ports; 0 stands for the one that tells transfers apart, which is the sender's own affair."""
    header = packet.headers[-1]
    if not isinstance(header, Tcp):
        return None
    return SeenTcp(header.source_port or None, header.destination_port or None)


def _udp(packet: Packet) -> SeenUdp | None:
    """Of its ports the source's tells flows apart, and its checksum may be left to a NIC."""
    header = packet.headers[-1]
    if not isinstance(header, Udp):
        return None
    return SeenUdp(destination_port=header.destination_port, length=header.length)
