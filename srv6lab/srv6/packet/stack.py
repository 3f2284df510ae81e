"""A packet: its headers in the order of the wire, and what no header of ours reads.

Lengths, next headers and checksums are what was found. `build` computes them; nothing here mends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from .extension import Authentication, DestinationOptions, Fragment, HopByHop, Routing
from .ipv4 import Ipv4
from .ipv6 import Ipv6
from .link import Ethernet, Vlan
from .srh import ROUTING_TYPE, Srh
from .upper import Icmp, Icmpv6, Tcp, Udp
from .wire import Malformed, take

Header = (
    Ethernet | Vlan | Ipv6 | HopByHop | DestinationOptions | Routing | Srh | Fragment | Authentication
    | Ipv4 | Icmp | Icmpv6 | Udp | Tcp
)  # fmt: skip
Kind = TypeVar("Kind", bound=Header)

# IANA, "IEEE 802 Numbers" and "Assigned Internet Protocol Numbers". A routing header is 43 whatever its type.
ETHERTYPES: Mapping[int, type[Header]] = {0x0800: Ipv4, 0x86DD: Ipv6, 0x8100: Vlan, 0x88A8: Vlan}
_UPPER: Mapping[int, type[Header]] = {4: Ipv4, 6: Tcp, 17: Udp, 41: Ipv6, 51: Authentication}
OVER_IPV4: Mapping[int, type[Header]] = {1: Icmp, **_UPPER}
OVER_IPV6: Mapping[int, type[Header]] = {
    0: HopByHop,
    **_UPPER,
    43: Srh,
    44: Fragment,
    58: Icmpv6,
    60: DestinationOptions,
    143: Ethernet,
}


@dataclass(frozen=True, slots=True)
class Packet:
    """`payload` is what the innermost header holds, `trailer` what stands behind the end that lengths give."""

    headers: tuple[Header, ...]
    payload: bytes = b""
    trailer: bytes = b""

    def to_bytes(self) -> bytes:
        return b"".join([header.to_bytes() for header in self.headers]) + self.payload + self.trailer

    @classmethod
    def from_bytes(cls, data: bytes, first: type[Header] = Ethernet) -> Packet:
        """Read a packet that begins with a header of the kind `first`."""
        headers: list[Header] = []
        kind: type[Header] | None = first
        over: Mapping[int, type[Header]] = OVER_IPV6
        at, end = 0, len(data)
        while kind is not None:
            header = _read(kind, data[:end], at)
            if isinstance(header, Ipv4 | Ipv6):
                over = OVER_IPV4 if isinstance(header, Ipv4) else OVER_IPV6
                end = _inside(header.end(at), end, at)
            headers.append(header)
            at += len(header.to_bytes())
            kind = _following(header, over)
        return cls(tuple(headers), data[at:end], data[end:])

    def with_headers(self, headers: tuple[Header, ...]) -> Packet:
        """The packet with other headers."""
        return Packet(headers, self.payload, self.trailer)

    def find(self, kind: type[Kind]) -> Kind | None:
        """The outermost header of a kind."""
        return next((header for header in self.headers if isinstance(header, kind)), None)

    def offset(self, index: int) -> int:
        """Where the header with that index begins; the payload, for one past the last."""
        return sum(len(header.to_bytes()) for header in self.headers[:index])


def _read(kind: type[Header], data: bytes, at: int) -> Header:
    if kind is Srh and take(data, at, 8, "routing header")[2] != ROUTING_TYPE:
        return Routing.from_bytes(data, at)
    return kind.from_bytes(data, at)


def _inside(inner: int, outer: int, at: int) -> int:
    if inner > outer:
        raise Malformed(at, f"IP packet ends at byte {inner}, there are {outer}")
    return inner


def _following(header: Header, over: Mapping[int, type[Header]]) -> type[Header] | None:
    """The kind of the header behind this one; None where the payload begins. A fragment holds no header."""
    match header:
        case Ethernet() | Vlan():
            return ETHERTYPES.get(header.ethertype)
        case Ipv4():
            return None if header.is_fragment else over.get(header.protocol)
        case Fragment() if header.is_fragment:
            return None
        case Icmp() | Icmpv6() | Udp() | Tcp():
            return None
        case _:
            return over.get(header.next_header)
