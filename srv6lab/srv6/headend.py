"""A headend steers a packet or a frame into a policy (RFC 8986 section 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .encapsulation import Encapsulation, push
from .packet import Ethernet, Header, HopByHop, Ipv4, Ipv6, Packet, Srh
from .packet.build import NUMBERS
from .results import Forward, IcmpError, Lookup, Result

ICMP_TIME_EXCEEDED, ICMPV6_TIME_EXCEEDED = 11, 3  # RFC 792; RFC 4443 section 3.3


def h_encaps(packet: Packet, encapsulation: Encapsulation) -> Result:
    """RFC 8986 section 5.1. Of a policy of one segment the SRH is pushed too, as it may be."""
    return _packet(packet, encapsulation, encapsulation.srh)


def h_encaps_red(packet: Packet, encapsulation: Encapsulation) -> Result:
    """RFC 8986 section 5.2: with a reduced SRH."""
    return _packet(packet, encapsulation, encapsulation.reduced)


def h_encaps_l2(packet: Packet, encapsulation: Encapsulation) -> Result:
    """RFC 8986 section 5.3: the frame with its tags, without its check sequence."""
    return _frame(packet, encapsulation, encapsulation.srh)


def h_encaps_l2_red(packet: Packet, encapsulation: Encapsulation) -> Result:
    """RFC 8986 section 5.4: with a reduced SRH."""
    return _frame(packet, encapsulation, encapsulation.reduced)


def h_insert(packet: Packet, encapsulation: Encapsulation) -> Result:
    """H.Insert of draft-filsfils-spring-srv6-net-pgm-insertion, which never became part of RFC 8986: RFC 8200
    section 4 forbids a node on the way to put an extension header into a packet. Linux calls it `inline`. The
    destination becomes the last segment; the encapsulation's source and its other IPv6 fields are not used."""
    return _inserted(packet, encapsulation, reduced=False)


def h_insert_red(packet: Packet, encapsulation: Encapsulation) -> Result:
    """H.Insert with a reduced SRH: as little a part of RFC 8986."""
    return _inserted(packet, encapsulation, reduced=True)


HEADENDS: dict[str, Callable[[Packet, Encapsulation], Result]] = {
    "H.Encaps": h_encaps,
    "H.Encaps.Red": h_encaps_red,
    "H.Encaps.L2": h_encaps_l2,
    "H.Encaps.L2.Red": h_encaps_l2_red,
    "H.Insert": h_insert,
    "H.Insert.Red": h_insert_red,
}


def _packet(packet: Packet, given: Encapsulation, srh: Srh | None) -> Result:
    inner = hop(packet)  # S05
    if isinstance(inner, IcmpError):
        return inner
    return Forward(push(replace(inner, trailer=b""), given, srh), Lookup())  # S01 to S04, S06


def _inserted(packet: Packet, given: Encapsulation, *, reduced: bool) -> Result:
    less = hop(packet)
    if isinstance(less, IcmpError):
        return replace(less, late=insert(packet, given, reduced=reduced))
    return Forward(insert(less, given, reduced=reduced), Lookup())


def insert(packet: Packet, given: Encapsulation, *, reduced: bool = False) -> Packet:
    """The packet with an SRH in front of all that its destination reads; hop-by-hop options come first (RFC 8200
    section 4.1)."""
    first, *behind = packet.headers
    if not isinstance(first, Ipv6):
        raise TypeError(f"an IPv6 packet is needed, not {type(first).__name__}")
    segments = (*given.segments, first.destination)
    srh = given.srh_of(segments, first.source, reduced=reduced)
    length = first.payload_length + len(srh.to_bytes())
    header = replace(first, destination=given.segments[0], payload_length=length)
    if behind and isinstance(options := behind[0], HopByHop):
        srh = replace(srh, next_header=options.next_header)
        front: tuple[Header, ...] = (header, replace(options, next_header=NUMBERS[Srh]), srh)
        return packet.with_headers((*front, *behind[1:]))
    srh = replace(srh, next_header=first.next_header)
    return packet.with_headers((replace(header, next_header=NUMBERS[Srh]), srh, *behind))


def _frame(packet: Packet, given: Encapsulation, srh: Srh | None) -> Result:
    """No line for a hop: a frame has none."""
    header = packet.headers[0]
    if not isinstance(header, Ethernet):
        raise TypeError(f"an Ethernet frame is needed, not {type(header).__name__}")
    return Forward(push(packet, given, srh), Lookup())


def hop(packet: Packet) -> Packet | IcmpError:
    """One hop less in the first header (RFC 8200 section 3; RFC 1812 section 5.3.1), or the error that says
    that there is none left."""
    header = packet.headers[0]
    if isinstance(header, Ipv6):
        if header.hop_limit <= 1:
            return IcmpError(ICMPV6_TIME_EXCEEDED, 0)
        return packet.with_headers(
            (header.toward(header.destination, header.hop_limit - 1), *packet.headers[1:])
        )
    if not isinstance(header, Ipv4):
        raise TypeError(f"an IP packet is needed, not {type(header).__name__}")
    if header.ttl <= 1:
        return IcmpError(ICMP_TIME_EXCEEDED, 0)
    return packet.with_headers((header.with_ttl(header.ttl - 1), *packet.headers[1:]))
