"""What a behavior is given besides a packet, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from .csid import NextCsid as NextCsid
from .encapsulation import Encapsulation
from .packet import Packet

Address = IPv4Address | IPv6Address


class Flavor(Enum):
    """RFC 8986 section 4.16."""

    PSP = "Penultimate Segment Pop of the SRH"
    USP = "Ultimate Segment Pop of the SRH"
    USD = "Ultimate Segment Decapsulation"


@dataclass(frozen=True, slots=True)
class LocalSid:
    """The parameters of a local SID: those that its behavior's record names, its flavors, and which
    upper-layer headers (by their protocol numbers) local configuration lets in (RFC 8986 section 4.1.1)."""

    nh6: IPv6Address | None = None
    nh4: IPv4Address | None = None
    table: int | None = None
    oif: str | None = None
    policy: Encapsulation | None = None
    flavors: frozenset[Flavor] = frozenset()
    next_csid: NextCsid | None = None
    upper_layers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Lookup:
    """By the FIB that the packet's family has at this node."""


@dataclass(frozen=True, slots=True)
class Table:
    """By one FIB table of the packet's family."""

    number: int


@dataclass(frozen=True, slots=True)
class Adjacency:
    """To one neighbor, whatever the FIB says."""

    next_hop: Address


@dataclass(frozen=True, slots=True)
class Interface:
    """Out of one interface, as an Ethernet frame."""

    name: str


How = Lookup | Table | Adjacency | Interface


@dataclass(frozen=True, slots=True)
class Forward:
    """The packet as the behavior leaves it; a decapsulated one is still to be forwarded (its own hop limit)."""

    packet: Packet
    how: How


@dataclass(frozen=True, slots=True)
class Deliver:
    """To this node itself: an upper layer that is let in, or a fragment that waits for the others."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Discard:
    """Thrown away with no word to anyone."""

    reason: str


@dataclass(frozen=True, slots=True)
class IcmpError:
    """Discarded, and its source is told by ICMPv6 (ICMP, for an IPv4 packet); `pointer` is an offset from
    the beginning of the packet, for a Parameter Problem."""

    type: int
    code: int
    pointer: int | None = None


Result = Forward | Deliver | Discard | IcmpError
