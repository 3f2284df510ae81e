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
    `routing` that of the first routing header, 0 if there is none."""

    packet: Packet
    header: Ipv6
    upper: int
    routing: int

    @classmethod
    def of(cls, packet: Packet) -> Outer:
        header = packet.headers[0]
        if not isinstance(header, Ipv6):
            raise TypeError(f"a behavior takes an IPv6 packet, not {type(header).__name__}")
        upper = 1
        while upper < len(packet.headers) and isinstance(packet.headers[upper], EXTENSIONS):
            upper += 1
        found = (n for n in range(1, upper) if isinstance(packet.headers[n], Srh | Routing))
        return cls(packet, header, upper, next(found, 0))

    @property
    def srh(self) -> Srh | None:
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

    def with_headers(self, *headers: Header) -> Packet:
        """The packet with other headers in front of its upper layer."""
        return replace(self.packet, headers=headers + self.packet.headers[self.upper :])

    def exposed(self) -> Packet:
        """The packet without its outer IPv6 header and all its extension headers."""
        return replace(self.packet, headers=self.packet.headers[self.upper :])

    def without_srh(self, srh: Srh) -> Packet:
        """RFC 8986 4.16.1 S14.2 to S14.4, and 4.16.2 S03.1 to S03.3, which say the same."""
        length = self.header.payload_length - 8 * (srh.hdr_ext_len + 1)
        header = replace(self.header, payload_length=length)  # S14.3
        headers: list[Header] = [header, *self.packet.headers[1 : self.upper]]
        headers[self.routing - 1] = _renamed(headers[self.routing - 1], srh.next_header)  # S14.2
        del headers[self.routing]  # S14.4
        return self.with_headers(*headers)


def _renamed(header: Header, next_header: int) -> Header:
    """The header with another Next Header."""
    if isinstance(header, (Ipv6, *EXTENSIONS)):
        return replace(header, next_header=next_header)
    raise TypeError(f"{type(header).__name__} has no Next Header")
