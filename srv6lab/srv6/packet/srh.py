"""The segment routing header and its TLVs: RFC 8754 section 2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address

from .extension import take_sized
from .wire import aligned, fit

ROUTING_TYPE = 4
FIXED = struct.Struct("!BBBBBBH")
PAD1, PADN, HMAC = 0, 4, 5


@dataclass(frozen=True, slots=True)
class Pad1:
    """RFC 8754 section 2.1.1.1."""

    def to_bytes(self) -> bytes:
        return bytes([PAD1])


@dataclass(frozen=True, slots=True)
class PadN:
    """RFC 8754 section 2.1.1.2; the padding is kept, though it should be zero."""

    padding: bytes

    def to_bytes(self) -> bytes:
        return bytes((PADN, len(self.padding))) + self.padding


@dataclass(frozen=True, slots=True)
class Hmac:
    """RFC 8754 section 2.1.2: the D bit, 15 reserved bits, the key's number, the digest."""

    key_id: int
    digest: bytes
    without_destination: bool = False
    reserved: int = 0

    def to_bytes(self) -> bytes:
        flags = self.without_destination << 15 | fit(self.reserved, 15, "RESERVED")
        return struct.pack("!BBHI", HMAC, 6 + len(self.digest), flags, self.key_id) + self.digest

    @classmethod
    def from_value(cls, value: bytes) -> Hmac:
        flags, key_id = struct.unpack_from("!HI", value)
        return cls(key_id, value[6:], bool(flags & 0x8000), flags & 0x7FFF)


@dataclass(frozen=True, slots=True)
class UnknownTlv:
    """RFC 8754 section 2.1."""

    type: int
    value: bytes

    def to_bytes(self) -> bytes:
        return bytes((self.type, len(self.value))) + self.value


@dataclass(frozen=True, slots=True)
class BrokenTlvs:
    """The rest of an SRH from a TLV on that goes beyond its end. A value, no error: a node that processes
    no TLVs (RFC 8754 section 4.3.1.1) forwards it."""

    data: bytes

    def to_bytes(self) -> bytes:
        return self.data


Tlv = Pad1 | PadN | Hmac | UnknownTlv | BrokenTlvs


@dataclass(frozen=True, slots=True)
class Srh:
    """The SRH as it stands on the wire: `segment_list[0]` is the last segment.

    `last_entry` is kept as found. Where it goes beyond the header, `segment_list` holds the SIDs that are there.
    """

    segment_list: tuple[IPv6Address, ...]
    segments_left: int
    last_entry: int
    next_header: int = 59
    flags: int = 0
    tag: int = 0
    tlvs: tuple[Tlv, ...] = ()

    @classmethod
    def of(
        cls,
        segments: Sequence[IPv6Address],
        *,
        reduced: bool = False,
        flags: int = 0,
        tag: int = 0,
        tlvs: tuple[Tlv, ...] = (),
    ) -> Srh:
        """The SRH that a source node writes for segments in visiting order (RFC 8754 section 4.1). A reduced
        one leaves out the first segment, which stands in the destination (section 4.1.1)."""
        segment_list = tuple(segments[:0:-1] if reduced else segments[::-1])
        if not segment_list:
            raise ValueError("an SRH has a segment")
        return cls(segment_list, len(segments) - 1, len(segment_list) - 1, flags=flags, tag=tag, tlvs=tlvs)

    def with_segments_left(self, segments_left: int) -> Srh:
        """The SRH on its way on. (Written out for the same reason as `Ipv6.toward`.)"""
        return Srh(
            self.segment_list,
            segments_left,
            self.last_entry,
            self.next_header,
            self.flags,
            self.tag,
            self.tlvs,
        )

    @property
    def hdr_ext_len(self) -> int:
        """Its length in units of 8 bytes, not counting the first."""
        return 2 * len(self.segment_list) + sum([len(tlv.to_bytes()) for tlv in self.tlvs]) // 8

    def to_bytes(self) -> bytes:
        body = b"".join([sid.packed for sid in self.segment_list] + [tlv.to_bytes() for tlv in self.tlvs])
        units = len(aligned(body, 8, 255 * 8, "SRH behind its first 8 bytes")) // 8
        counters = self.segments_left, self.last_entry, self.flags, self.tag
        return FIXED.pack(self.next_header, units, ROUTING_TYPE, *counters) + body

    @classmethod
    def from_bytes(cls, data: bytes, at: int = 0) -> Srh:
        whole = take_sized(data, at, "SRH")
        following, size, _, left, last_entry, flags, tag = FIXED.unpack_from(whole)
        end = FIXED.size + 16 * min(last_entry + 1, size // 2)
        sids = tuple(IPv6Address(whole[n : n + 16]) for n in range(FIXED.size, end, 16))
        return cls(sids, left, last_entry, following, flags, tag, read_tlvs(whole[end:]))


def read_tlvs(data: bytes) -> tuple[Tlv, ...]:
    tlvs: list[Tlv] = []
    at = 0
    while at < len(data):
        length = 1 if data[at] == PAD1 else 2 + data[at + 1] if at + 1 < len(data) else 2
        if at + length > len(data):
            return (*tlvs, BrokenTlvs(data[at:]))
        tlvs.append(_tlv(data[at], data[at + 2 : at + length]))
        at += length
    return tuple(tlvs)


def _tlv(kind: int, value: bytes) -> Tlv:
    if kind == PAD1:
        return Pad1()
    if kind == PADN:
        return PadN(value)
    if kind == HMAC and len(value) >= 6:
        return Hmac.from_value(value)
    return UnknownTlv(kind, value)
