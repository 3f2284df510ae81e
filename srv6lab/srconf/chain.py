"""The chain that the static proxy puts its service's packets on, and its bytes (RFC 8754 section 2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

ROUTING, SRH_TYPE, HOP_LIMIT = 43, 4, 64
IPV6_SIZE, SRH_SIZE, SID_SIZE = 40, 8, 16
HEADERS_MAX = 512
SEGMENTS_MAX = (HEADERS_MAX - IPV6_SIZE - SRH_SIZE) // SID_SIZE
HEADERS = struct.Struct(f"=QQ{HEADERS_MAX}s")  # `struct chain` of srproxy.h


@dataclass(frozen=True)
class Chain:
    """Outer source, segments in visiting order, and how many of them are left behind the active one."""

    source: IPv6Address
    segments: tuple[IPv6Address, ...]
    segments_left: int

    def pack(self, inner: int) -> bytes:
        """The value in the map of chains: an IPv6 header and an SRH in front of Next Header `inner`."""
        segment_list = b"".join(segment.packed for segment in reversed(self.segments))
        active = self.segments[-1 - self.segments_left]
        headers = (
            struct.pack("!IHBB", 6 << 28, 0, ROUTING, HOP_LIMIT)
            + self.source.packed
            + active.packed
            + struct.pack("!4B", inner, len(segment_list) // 8, SRH_TYPE, self.segments_left)
            + struct.pack("!BBH", len(self.segments) - 1, 0, 0)
            + segment_list
        )
        return HEADERS.pack(0, len(headers), headers)


def unpack(value: bytes) -> Chain:
    """Read what `pack` wrote."""
    _, length, headers = HEADERS.unpack(value)
    steps = range(IPV6_SIZE + SRH_SIZE, length, SID_SIZE)
    segment_list = [IPv6Address(headers[at : at + SID_SIZE]) for at in steps]
    return Chain(IPv6Address(headers[8:24]), tuple(reversed(segment_list)), headers[IPV6_SIZE + 3])
