"""Headers → a packet: next headers, lengths and checksums follow from what stands behind a header."""

from __future__ import annotations

import struct
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from .extension import Authentication, DestinationOptions, Fragment, HopByHop, Routing
from .ipv4 import Ipv4
from .ipv6 import Ipv6
from .link import Ethernet, Vlan
from .srh import Srh
from .stack import Header, Packet
from .upper import Icmp, Icmpv6, Tcp, Udp
from .wire import checksum

NUMBERS: dict[type[Header], int] = {
    HopByHop: 0,
    Icmp: 1,
    Ipv4: 4,
    Tcp: 6,
    Udp: 17,
    Ipv6: 41,
    Routing: 43,
    Srh: 43,
    Fragment: 44,
    Authentication: 51,
    Icmpv6: 58,
    DestinationOptions: 60,
    Ethernet: 143,
}
SERVICE_TAG = 0x88A8  # IEEE 802.1ad: written by hand, the default is 802.1Q
ETHERTYPES: dict[type[Header], int] = {Ipv4: 0x0800, Ipv6: 0x86DD, Vlan: 0x8100}


def build(*headers: Header, payload: bytes = b"", trailer: bytes = b"") -> Packet:
    """The packet of these headers, each made to agree with what it holds. A header in front of the payload
    keeps its own next header."""
    done: list[Header] = []
    body = payload
    for index in range(len(headers) - 1, -1, -1):
        header = _linked(headers[index], headers[index + 1] if index + 1 < len(headers) else None)
        header = _summed(header, body, headers[:index])
        done.insert(0, header)
        body = header.to_bytes() + body
    return Packet(tuple(done), payload, trailer)


def _linked(header: Header, behind: Header | None) -> Header:
    """The header, naming what stands behind it."""
    if behind is None:
        return header
    match header:
        case Ethernet() | Vlan() if isinstance(behind, Vlan) and header.ethertype == SERVICE_TAG:
            return header
        case Ethernet() | Vlan():
            return replace(header, ethertype=_number(ETHERTYPES, header, behind))
        case Ipv4():
            return replace(header, protocol=_number(NUMBERS, header, behind))
        case Icmp() | Icmpv6() | Udp() | Tcp():
            raise _misfit(header, behind)
        case _:
            return replace(header, next_header=_number(NUMBERS, header, behind))


def _number(numbers: dict[type[Header], int], header: Header, behind: Header) -> int:
    if type(behind) not in numbers:
        raise _misfit(header, behind)
    return numbers[type(behind)]


def _misfit(header: Header, behind: Header) -> ValueError:
    return ValueError(f"{type(header).__name__} holds no {type(behind).__name__}")


def _summed(header: Header, body: bytes, before: tuple[Header, ...]) -> Header:
    """The header with the length and the checksum that its body gives it."""
    match header:
        case Ipv6():
            return replace(header, payload_length=len(body))
        case Ipv4():
            whole = replace(header, total_length=len(header.to_bytes()) + len(body), checksum=0)
            return replace(whole, checksum=checksum(whole.to_bytes()))
        case Icmp():
            return replace(header, checksum=checksum(replace(header, checksum=0).to_bytes() + body))
        case Icmpv6() | Tcp():
            return replace(header, checksum=_pseudo(replace(header, checksum=0), body, before))
        case Udp():
            bare = replace(header, length=8 + len(body), checksum=0)
            return replace(bare, checksum=_pseudo(bare, body, before) or 0xFFFF)
        case _:
            return header


def _pseudo(header: Icmpv6 | Tcp | Udp, body: bytes, before: tuple[Header, ...]) -> int:
    """The checksum with the pseudo-header of RFC 8200 section 8.1. RFC 9293's for IPv4 has the same sum, since
    its narrower fields hold the same numbers."""
    message = header.to_bytes() + body
    source, destination = _ends(before)
    sizes = struct.pack("!II", len(message), NUMBERS[type(header)])
    return checksum(source.packed + destination.packed + sizes + message)


def _ends(before: tuple[Header, ...]) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
    """The addresses of the pseudo-header: behind an SRH, the destination is the last segment."""
    last = None
    for header in reversed(before):
        if isinstance(header, Srh) and header.segments_left and header.segment_list:
            last = header.segment_list[0]
        if isinstance(header, Ipv4 | Ipv6):
            return header.source, header.destination if last is None else last
    raise ValueError("a checksum over addresses needs an IP header")
