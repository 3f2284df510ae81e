"""Upper-layer headers: ICMP, ICMPv6, UDP, TCP."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from .wire import Malformed, aligned, fit, take

UDP = struct.Struct("!HHHH")
TCP = struct.Struct("!HHIIHHHH")


@dataclass(frozen=True, slots=True)
class Message:
    """What ICMP and ICMPv6 share: `rest` is the four bytes behind the checksum, which each type reads its way."""

    type: int
    code: int = 0
    rest: bytes = bytes(4)
    checksum: int = 0
    name: ClassVar[str] = "ICMP message"

    def to_bytes(self) -> bytes:
        if len(self.rest) != 4:
            raise ValueError("the rest of an ICMP header has 4 bytes")
        return struct.pack("!BBH", self.type, self.code, self.checksum) + self.rest

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Self:
        kind, code, check, rest = struct.unpack("!BBH4s", take(data, at, 8, cls.name))
        return cls(kind, code, rest, check)


class Icmp(Message):
    """RFC 792."""

    __slots__ = ()
    name: ClassVar[str] = "ICMP header"


class Icmpv6(Message):
    """RFC 4443 section 2.1."""

    __slots__ = ()
    name: ClassVar[str] = "ICMPv6 header"


@dataclass(frozen=True, slots=True)
class Udp:
    """RFC 768."""

    source_port: int
    destination_port: int
    length: int = 0
    checksum: int = 0

    def to_bytes(self) -> bytes:
        return UDP.pack(self.source_port, self.destination_port, self.length, self.checksum)

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Udp:
        return cls(*UDP.unpack(take(data, at, UDP.size, "UDP header")))


@dataclass(frozen=True, slots=True)
class Tcp:
    """RFC 9293 section 3.1; `flags` are its eight control bits, `options` as they stand on the wire."""

    source_port: int
    destination_port: int
    sequence: int = 0
    acknowledgment: int = 0
    flags: int = 0
    window: int = 0
    urgent_pointer: int = 0
    options: bytes = b""
    reserved: int = 0
    checksum: int = 0

    def to_bytes(self) -> bytes:
        words = 5 + len(aligned(self.options, 4, 40, "TCP options")) // 4
        bits = words << 12 | fit(self.reserved, 4, "Rsrvd") << 8 | fit(self.flags, 8, "control bits")
        ports = self.source_port, self.destination_port
        fixed = TCP.pack(
            *ports, self.sequence, self.acknowledgment, bits, self.window, self.checksum, self.urgent_pointer
        )
        return fixed + self.options

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Tcp:
        source, destination, sequence, acknowledgment, bits, window, check, urgent = TCP.unpack(
            take(data, at, TCP.size, "TCP header")
        )
        size = (bits >> 12) * 4
        if size < TCP.size:
            raise Malformed(at, f"TCP header says that it has {size} bytes, it takes {TCP.size}")
        return cls(
            source_port=source,
            destination_port=destination,
            sequence=sequence,
            acknowledgment=acknowledgment,
            flags=bits & 0xFF,
            window=window,
            urgent_pointer=urgent,
            options=take(data, at, size, "TCP header with options")[TCP.size :],
            reserved=bits >> 8 & 0xF,
            checksum=check,
        )
