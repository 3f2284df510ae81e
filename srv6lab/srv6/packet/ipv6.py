"""The IPv6 header."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

from .wire import Malformed, fit, take

HEADER = struct.Struct("!IHBB16s16s")


@dataclass(frozen=True, slots=True)
class Ipv6:
    """The IPv6 header, RFC 8200 section 3."""

    source: IPv6Address
    destination: IPv6Address
    hop_limit: int = 64
    next_header: int = 59
    traffic_class: int = 0
    flow_label: int = 0
    payload_length: int = 0

    def to_bytes(self) -> bytes:
        first = 6 << 28 | fit(self.traffic_class, 8, "Traffic Class") << 20
        return HEADER.pack(
            first | fit(self.flow_label, 20, "Flow Label"),
            self.payload_length,
            self.next_header,
            self.hop_limit,
            self.source.packed,
            self.destination.packed,
        )

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Ipv6:
        first, length, following, hop_limit, source, destination = HEADER.unpack(
            take(data, at, HEADER.size, "IPv6 header")
        )
        if first >> 28 != 6:
            raise Malformed(at, f"IPv6 header has version {first >> 28}")
        return cls(
            IPv6Address(source),
            IPv6Address(destination),
            hop_limit,
            following,
            first >> 20 & 0xFF,
            first & 0xFFFFF,
            length,
        )

    def toward(self, destination: IPv6Address, hop_limit: int) -> Ipv6:
        """The header on its way on. (All fields are written out because `replace` takes three times as long, and
        every hop does this.)"""
        return Ipv6(
            self.source,
            destination,
            hop_limit,
            self.next_header,
            self.traffic_class,
            self.flow_label,
            self.payload_length,
        )

    def end(self, at: int) -> int:
        """Where the packet ends whose header begins at `at`."""
        return at + HEADER.size + self.payload_length
