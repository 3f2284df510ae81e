"""A headend steers a packet or a frame into a policy (RFC 8986 section 5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .encapsulation import Encapsulation, push
from .packet import Ethernet, Ipv4, Ipv6, Packet, Srh, checksum
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


HEADENDS: dict[str, Callable[[Packet, Encapsulation], Result]] = {
    "H.Encaps": h_encaps,
    "H.Encaps.Red": h_encaps_red,
    "H.Encaps.L2": h_encaps_l2,
    "H.Encaps.L2.Red": h_encaps_l2_red,
}


def _packet(packet: Packet, given: Encapsulation, srh: Srh | None) -> Result:
    inner = hop(packet)  # S05
    if isinstance(inner, IcmpError):
        return inner
    return Forward(push(inner, given, srh), Lookup())  # S01 to S04, S06


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
        return replace(packet, headers=(replace(header, hop_limit=header.hop_limit - 1), *packet.headers[1:]))
    if not isinstance(header, Ipv4):
        raise TypeError(f"an IP packet is needed, not {type(header).__name__}")
    if header.ttl <= 1:
        return IcmpError(ICMP_TIME_EXCEEDED, 0)
    less = replace(header, ttl=header.ttl - 1, checksum=0)
    return replace(packet, headers=(replace(less, checksum=checksum(less.to_bytes())), *packet.headers[1:]))
