"""ICMP errors: which there are, and their words."""

from __future__ import annotations

from srv6lab.srv6.packet import Ipv4, Ipv6, Packet
from srv6lab.srv6.results import IcmpError

_ERRORS = {
    (Ipv6, 3): "ICMPv6 Time Exceeded: its hop limit is used up",
    (Ipv4, 11): "ICMP Time Exceeded: its TTL is used up",
    (Ipv6, 4): "ICMPv6 Parameter Problem",
}


def words_of(packet: Packet, error: IcmpError) -> str:
    """In words what the source is told."""
    first = packet.headers[0]
    words = _ERRORS.get((type(first), error.type), f"ICMP type {error.type}")
    pointer = f", pointing at byte {error.pointer}" if error.pointer is not None else ""
    source = first.source if isinstance(first, Ipv4 | Ipv6) else "its source"
    return f"{words}, code {error.code}{pointer}; {source} is told"


def unreachable(packet: Packet, code: int, code_of_ipv4: int) -> IcmpError:
    """ICMPv6 or ICMP Destination Unreachable."""
    ipv4 = isinstance(packet.headers[0], Ipv4)
    return IcmpError(3, code_of_ipv4) if ipv4 else IcmpError(1, code)


def told_by_route(kind: str, packet: Packet) -> IcmpError | None:
    """What a route that refuses tells the source: of IPv6 that there is no route, of IPv4 that there is no host, or
    that it is prohibited (RFC 4443 section 3.1, RFC 1812 section 5.2.7.1)."""
    codes = {"unreachable": (0, 1), "prohibit": (1, 13)}
    return unreachable(packet, *codes[kind]) if kind in codes else None
