"""The IPv4 header."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from .wire import Malformed, aligned, checksum, fit, take

FIXED = struct.Struct("!BBHHHBBH4s4s")
TTL, CHECKSUM = 8, slice(10, 12)
RESERVED, DONT_FRAGMENT, MORE_FRAGMENTS = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Ipv4:
    """The IPv4 header, RFC 791 section 3.1; `tos` is RFC 2474's DS field and RFC 3168's ECN.

    `flags` are the three bits before the fragment offset, which counts in units of 8 bytes. `options` are as
    they stand on the wire, padding included; the header's length follows from them.
    """

    source: IPv4Address
    destination: IPv4Address
    ttl: int = 64
    protocol: int = 0
    tos: int = 0
    identification: int = 0
    flags: int = 0
    fragment_offset: int = 0
    options: bytes = b""
    total_length: int = 0
    checksum: int = 0

    def to_bytes(self) -> bytes:
        words = 5 + len(aligned(self.options, 4, 40, "IPv4 options")) // 4
        fixed = FIXED.pack(
            4 << 4 | words,
            self.tos,
            self.total_length,
            self.identification,
            fit(self.flags, 3, "Flags") << 13 | fit(self.fragment_offset, 13, "Fragment Offset"),
            self.ttl,
            self.protocol,
            self.checksum,
            self.source.packed,
            self.destination.packed,
        )
        return fixed + self.options

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Ipv4:
        first, tos, length, ident, fragment, ttl, protocol, check, source, destination = FIXED.unpack(
            take(data, at, FIXED.size, "IPv4 header")
        )
        size = (first & 0xF) * 4
        if first >> 4 != 4:
            raise Malformed(at, f"IPv4 header has version {first >> 4}")
        if size < FIXED.size or length < size:
            raise Malformed(at, f"IPv4 header of {size} bytes in a packet of {length}")
        return cls(
            source=IPv4Address(source),
            destination=IPv4Address(destination),
            ttl=ttl,
            protocol=protocol,
            tos=tos,
            identification=ident,
            flags=fragment >> 13,
            fragment_offset=fragment & 0x1FFF,
            options=take(data, at, size, "IPv4 header with options")[FIXED.size :],
            total_length=length,
            checksum=check,
        )

    def with_ttl(self, ttl: int) -> Ipv4:
        """The header with another TTL, and with the checksum that it then has. (Written out as `Ipv6.toward` is.)"""
        raw = bytearray(self.to_bytes())
        raw[TTL] = ttl
        raw[CHECKSUM] = bytes(2)
        return Ipv4(
            self.source,
            self.destination,
            ttl,
            self.protocol,
            self.tos,
            self.identification,
            self.flags,
            self.fragment_offset,
            self.options,
            self.total_length,
            checksum(bytes(raw)),
        )

    def end(self, at: int) -> int:
        """Where the packet ends whose header begins at `at`."""
        return at + self.total_length

    @property
    def is_fragment(self) -> bool:
        return bool(self.fragment_offset or self.flags & MORE_FRAGMENTS)
