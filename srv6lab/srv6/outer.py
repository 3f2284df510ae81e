"""The outer IPv6 header with its extension headers: found, and changed into new packets."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .packet import (
    Authentication,
    DestinationOptions,
    Fragment,
    Header,
    HopByHop,
    Ipv6,
    Packet,
    Routing,
    Srh,
)

EXTENSIONS = (HopByHop, DestinationOptions, Routing, Srh, Fragment, Authentication)


@dataclass(frozen=True, slots=True)
class Outer:
    """An IPv6 packet, and where in its headers things stand: `upper` is the index behind the outer ones,
    `routing` that of the first routing header that has segments left, 0 if there is none. One that has none left
    is passed over, whatever its type (RFC 8200 section 4.4, RFC 8986 section 4.1 S02 and S03)."""

    packet: Packet
    header: Ipv6
    upper: int
    routing: int

    @classmethod
    def of(cls, packet: Packet) -> Outer:
        headers = packet.headers
        if not isinstance(first := headers[0], Ipv6):
            raise TypeError(f"a behavior takes an IPv6 packet, not {type(first).__name__}")
        upper = 1
        routing = 0
        while upper < len(headers) and isinstance(one := headers[upper], EXTENSIONS):
            if routing == 0 and isinstance(one, (Srh, Routing)) and one.segments_left != 0:
                routing = upper
            upper += 1
        return cls(packet, first, upper, routing)

    @property
    def srh(self) -> Srh | None:
        """The SRH to process: it has segments left."""
        header = self.packet.headers[self.routing]
        return header if isinstance(header, Srh) else None

    @property
    def routing_offset(self) -> int:
        return self.packet.offset(self.routing)

    @property
    def upper_offset(self) -> int:
        return self.packet.offset(self.upper)

    @property
    def upper_type(self) -> int | None:
        """The number of the upper-layer header; None in a fragment, which hasn't got it yet."""
        last = self.packet.headers[self.upper - 1]
        if isinstance(last, Fragment) and last.is_fragment:
            return None
        return last.next_header if isinstance(last, (Ipv6, *EXTENSIONS)) else None

    def with_header(self, header: Ipv6) -> Packet:
        """The packet with another first header."""
        return self.packet.with_headers((header, *self.packet.headers[1:]))

    def exposed(self) -> Packet:
        """The packet without its outer IPv6 header and all its extension headers."""
        return self.packet.with_headers(self.packet.headers[self.upper :])

    def without_exhausted(self) -> Packet:
        """The packet without the SRHs that come to be processed with no segments left."""
        packet = self.packet
        for index in range((self.routing or self.upper) - 1, 0, -1):
            if isinstance(packet.headers[index], Srh):
                packet = without_srh(packet, index)
        return packet


def without_srh(packet: Packet, index: int) -> Packet:
    """RFC 8986 4.16.1 S14.2 to S14.4, and 4.16.2 S03.1 to S03.3, which say the same."""
    headers = list(packet.headers)
    first, srh = headers[0], headers.pop(index)  # S14.4
    assert isinstance(first, Ipv6)
    assert isinstance(srh, Srh)
    headers[0] = replace(first, payload_length=first.payload_length - 8 * (srh.hdr_ext_len + 1))  # S14.3
    headers[index - 1] = _renamed(headers[index - 1], srh.next_header)  # S14.2
    return packet.with_headers(tuple(headers))


def _renamed(header: Header, next_header: int) -> Header:
    """The header with another Next Header."""
    if isinstance(header, (Ipv6, *EXTENSIONS)):
        return replace(header, next_header=next_header)
    raise TypeError(f"{type(header).__name__} has no Next Header")
