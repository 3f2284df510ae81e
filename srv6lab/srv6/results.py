"""What a behavior is given besides a packet, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from .csid import NextCsid as NextCsid
from .encapsulation import Encapsulation
from .packet import Header, Packet

Address = IPv4Address | IPv6Address


class Flavor(Enum):
    """RFC 8986 section 4.16."""

    PSP = "Penultimate Segment Pop of the SRH"
    USP = "Ultimate Segment Pop of the SRH"
    USD = "Ultimate Segment Decapsulation"


@dataclass(frozen=True, slots=True)
class Service:
    """An SR-unaware service, as its proxy sees it: the interface that leads to it (IFACE-OUT of
    draft-ietf-spring-sr-service-programming section 6), and the one on which it gives packets back (IFACE-IN)."""

    out: str
    back: str


@dataclass(frozen=True, slots=True)
class LocalSid:
    """The parameters of a local SID: those that its behavior's record names, its flavors, and which
    upper-layer headers (by their protocol numbers) local configuration lets in (RFC 8986 section 4.1.1). The last
    `argument_length` bits of its address are its argument (section 3.1). `oam` is whether local configuration
    permits the O-flag (RFC 9259 section 2.1.1)."""

    nh6: IPv6Address | None = None
    nh4: IPv4Address | None = None
    table: int | None = None
    oif: str | None = None
    policy: Encapsulation | None = None
    service: Service | None = None
    flavors: frozenset[Flavor] = frozenset()
    next_csid: NextCsid | None = None
    upper_layers: frozenset[int] = frozenset()
    argument_length: int = 0
    oam: bool = False


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


class L2Match(Enum):
    """By what an L2 table is looked up."""

    VLAN = "the VLAN tags"
    MAC = "the destination address; a frame for an unknown one goes out of all interfaces"
    ALL = "nothing: the frame goes out of all interfaces"


@dataclass(frozen=True, slots=True)
class L2Table:
    """Out of the interfaces that one L2 table says, as an Ethernet frame. `learns` is whether the table gets the
    frame's source address, `excluded` the Arg.FE2 whose interfaces are left out."""

    number: int
    match: L2Match
    learns: bool = False
    excluded: int | None = None


How = Lookup | Table | Adjacency | Interface | L2Table


@dataclass(frozen=True, slots=True)
class Cache:
    """What an SR proxy with a dynamic cache knows of the packets that its service will give back: the outer IPv6
    header with its extension headers, gone on to the next segment. The payload length is another packet's."""

    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every result has: `oam` is the copy of the packet that goes to the node's OAM process (RFC 9259)."""

    oam: Packet | None = None


@dataclass(frozen=True, slots=True)
class Forward(Answer):
    """The packet as the behavior leaves it; a decapsulated one is still to be forwarded (its own hop limit),
    unless it goes to a service: an SR proxy takes that hop when it comes back. `cache` is what the node remembers
    for IFACE-IN from now on."""

    packet: Packet
    how: How
    cache: Cache | None = None


@dataclass(frozen=True, slots=True)
class Deliver(Answer):
    """To this node itself: an upper layer that is let in, or a fragment that waits for the others."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Discard(Answer):
    """Thrown away with no word to anyone."""

    reason: str


@dataclass(frozen=True, slots=True)
class IcmpError(Answer):
    """Discarded, and its source is told by ICMPv6 (ICMP, for an IPv4 packet); `pointer` is an offset from
    the beginning of the packet, for a Parameter Problem. Linux looks at the hop limit after the behavior: `late` is the
    packet as it quotes it then, where it isn't as long as the one that came."""

    type: int
    code: int
    pointer: int | None = None
    late: Packet | None = field(default=None, compare=False)


Result = Forward | Deliver | Discard | IcmpError
