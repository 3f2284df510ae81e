"""IPv6 extension headers but for the SRH."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Self

from .wire import Malformed, aligned, fit, take

PAD1 = 0


@dataclass(frozen=True, slots=True)
class Option:
    """An option of RFC 8200 section 4.2; `value` is None for Pad1 (type 0), which has no length."""

    type: int
    value: bytes | None

    def to_bytes(self) -> bytes:
        if (self.value is None) != (self.type == PAD1):
            raise ValueError("an option has a value unless it is Pad1")
        return bytes([self.type]) if self.value is None else bytes([self.type, len(self.value)]) + self.value


def read_options(data: bytes, at: int) -> tuple[Option, ...]:
    """All options from `at` to the end."""
    options = []
    while at < len(data):
        if data[at] == PAD1:
            options.append(Option(PAD1, None))
            at += 1
        else:
            kind, length = take(data, at, 2, "option")
            options.append(Option(kind, take(data, at, 2 + length, "option")[2:]))
            at += 2 + length
    return tuple(options)


@dataclass(frozen=True, slots=True)
class Options:
    """A header of options, RFC 8200 section 4.2. Padding is an option like others: it is written by hand."""

    next_header: int = 59
    options: tuple[Option, ...] = (Option(1, bytes(4)),)
    name: ClassVar[str] = "options header"

    def to_bytes(self) -> bytes:
        body = b"".join(option.to_bytes() for option in self.options)
        return sized(bytes(2) + body, self.next_header, self.name)

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Self:
        whole = take_sized(data, at, cls.name)
        return cls(whole[0], read_options(data[: at + len(whole)], at + 2))


class HopByHop(Options):
    """RFC 8200 section 4.3."""

    __slots__ = ()
    name: ClassVar[str] = "hop-by-hop options header"


class DestinationOptions(Options):
    """RFC 8200 section 4.6."""

    __slots__ = ()
    name: ClassVar[str] = "destination options header"


@dataclass(frozen=True, slots=True)
class Routing:
    """A routing header of another type than 4, RFC 8200 section 4.4."""

    type: int
    segments_left: int
    data: bytes
    next_header: int = 59

    def to_bytes(self) -> bytes:
        return sized(
            bytes((0, 0, self.type, self.segments_left)) + self.data, self.next_header, "routing header"
        )

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Routing:
        whole = take_sized(data, at, "routing header")
        return cls(whole[2], whole[3], whole[4:], whole[0])


@dataclass(frozen=True, slots=True)
class Fragment:
    """RFC 8200 section 4.5; the offset counts in units of 8 bytes. Both reserved fields are kept."""

    identification: int
    offset: int = 0
    more: bool = False
    next_header: int = 59
    reserved: int = 0
    reserved_bits: int = 0

    def to_bytes(self) -> bytes:
        last = (
            fit(self.offset, 13, "Fragment Offset") << 3 | fit(self.reserved_bits, 2, "Res") << 1 | self.more
        )
        return struct.pack("!BBHI", self.next_header, self.reserved, last, self.identification)

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Fragment:
        following, reserved, last, ident = struct.unpack("!BBHI", take(data, at, 8, "fragment header"))
        return cls(ident, last >> 3, bool(last & 1), following, reserved, last >> 1 & 3)

    @property
    def is_fragment(self) -> bool:
        """Not so for an atomic fragment (RFC 6946), which is a whole packet."""
        return bool(self.offset or self.more)


@dataclass(frozen=True, slots=True)
class Authentication:
    """The Authentication Header, RFC 4302 section 2; its length counts in units of 4 bytes."""

    spi: int
    sequence: int
    icv: bytes
    next_header: int = 59
    reserved: int = 0

    def to_bytes(self) -> bytes:
        units = len(aligned(self.icv, 4, 255 * 4 - 4, "ICV")) // 4 + 1
        head = struct.pack("!BBHII", self.next_header, units, self.reserved, self.spi, self.sequence)
        return head + self.icv

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Authentication:
        following, units, reserved, spi, sequence = struct.unpack(
            "!BBHII", take(data, at, 12, "authentication header")
        )
        if units < 1:
            raise Malformed(at, "authentication header says that it has 8 bytes, it takes 12")
        return cls(
            spi, sequence, take(data, at, (units + 2) * 4, "authentication header")[12:], following, reserved
        )


def sized(header: bytes, following: int, name: str) -> bytes:
    """A header with its first two bytes: Next Header, and its length in units of 8 bytes."""
    whole = aligned(header, 8, 256 * 8, name)
    return bytes((following, len(whole) // 8 - 1)) + whole[2:]


def take_sized(data: bytes, at: int, name: str) -> bytes:
    """A header whose second byte is its length in units of 8 bytes, not counting the first."""
    return take(data, at, (take(data, at, 8, name)[1] + 1) * 8, name)
