"""A packet on its way through a lab: where it is, what happened to it so far, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from srv6lab.evidence.packets import Address, Place
from srv6lab.evidence.prediction import Choice, End, Hop, TooBig
from srv6lab.plan.nodes import Nic
from srv6lab.predict.fib import Sid
from srv6lab.predict.packet_view import size
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet
from srv6lab.srv6.results import Cache, How, IcmpError


@dataclass(frozen=True, slots=True)
class Walk:
    """A packet at a namespace, still to be handled there.

    `hop_due` says that forwarding takes one off its hop limit; `acted` and `why` are what happened to it
    in this namespace so far; `caches` are the headers that proxies remember for it.
    """

    packet: Packet
    place: Place
    came_in: str | None = None
    how: How | None = None
    next_hop: Address | None = None
    hop_due: bool = True
    acted: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    share: Fraction = Fraction(1)
    quirks: tuple[str, ...] = ()
    counted: tuple[str, ...] = ()
    caches: tuple[tuple[Sid, Cache], ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A walk that came to its end, with the packet as it was there, and what its source is told of it."""

    walk: Walk
    end: End
    error: IcmpError | None = None


Next = tuple[Walk | Ended, ...]


def taking(quirks: tuple[str, ...], *taken: str) -> tuple[str, ...]:
    """Each once, in the order in which they were met."""
    return tuple(dict.fromkeys((*quirks, *taken)))


def ip_of(packet: Packet) -> Ipv4 | Ipv6:
    header = packet.headers[0]
    if not isinstance(header, Ipv4 | Ipv6):
        raise TypeError(f"an IP packet is needed, not {type(header).__name__}")
    return header


def destination_of(packet: Packet) -> Address:
    return ip_of(packet).destination


def too_big(walk: Walk, packet: Packet, nic: Nic) -> Next:
    over = size(packet) - nic.mtu
    what = f"too big: {size(packet)} bytes are {over} more than the MTU {nic.mtu} of {nic.point}"
    big = TooBig(nic.point, size(packet), nic.mtu)
    return (Ended(replace(walk, packet=packet), End(False, walk.place, what, too_big=big)),)


def lost(walk: Walk, reason: str, error: IcmpError | None = None) -> Next:
    return (Ended(walk, End(False, walk.place, reason), error),)
