"""SR proxies on a walk: what srconf sends to a service, and what it makes of what comes back, where that departs
from the draft."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.predict.fib import Sid
from srv6lab.srv6.acting import give_back
from srv6lab.srv6.behaviors import Behavior
from srv6lab.srv6.outer import Outer
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet, Srh
from srv6lab.srv6.results import Cache, Forward, Result

QUIRK_TWO_HOPS = "proxy-takes-two-hops"
_MASQUERADE = "End.AM"
_HOP, _SEGMENT = "proxy-hop-before-the-service", "proxy-segment-before-the-service"


def early(behavior: Behavior) -> str:
    """The quirk by which srconf takes on the way to the service what by the draft is taken on the way back."""
    return _SEGMENT if behavior.name == _MASQUERADE else _HOP


def bypasses(acted: tuple[str, ...]) -> bool:
    """Whether a packet comes to its service past the node's firewall: srconf redirects what it masquerades."""
    return acted[-1:] == (_MASQUERADE,)


def takes(behavior: Behavior, packet: Packet) -> bool:
    """Whether a packet from a service is of the family that the proxy hands it."""
    return isinstance(packet.headers[0], Ipv4 if behavior.service_takes == 4 else Ipv6)


def to_service(behavior: Behavior, packet: Packet, quirks: frozenset[str]) -> Packet:
    """What the draft sends to a service as it is sent, but for the hop."""
    return _at_segment(packet, -1) if early(behavior) == _SEGMENT and _SEGMENT in quirks else packet


def given_back(way: Sid, packet: Packet, cache: Cache | None, quirks: frozenset[str]) -> Result:
    """What a proxy makes of what its service gave back; NotImplementedError for one that isn't modeled."""
    back, quirk = give_back(way.behavior), early(way.behavior)
    if quirk not in quirks:
        return back(packet, way.local, cache)
    if quirk == _SEGMENT:
        return back(_hop_added(_at_segment(packet, 1)), way.local, cache)
    result = back(packet, way.local, cache)
    return (
        replace(result, packet=_with_inner(result.packet, packet)) if isinstance(result, Forward) else result
    )


def _at_segment(packet: Packet, further: int) -> Packet:
    """A packet with so many segments more left, where it has an SRH."""
    upper = Outer.of(packet).upper
    at = next((n for n, one in enumerate(packet.headers[:upper]) if isinstance(one, Srh)), None)
    if at is None:
        return packet
    srh = packet.headers[at]
    assert isinstance(srh, Srh)
    moved = srh.with_segments_left(srh.segments_left + further)
    return packet.with_headers((*packet.headers[:at], moved, *packet.headers[at + 1 :]))


def _hop_added(packet: Packet) -> Packet:
    """A packet with the hop that its next segment costs added beforehand."""
    first = packet.headers[0]
    assert isinstance(first, Ipv6)
    return packet.with_headers((first.toward(first.destination, first.hop_limit + 1), *packet.headers[1:]))


def _with_inner(chained: Packet, came_back: Packet) -> Packet:
    """A packet in its chain, with the inner packet just as the service gave it back."""
    outer = len(chained.headers) - len(came_back.headers)
    return replace(chained, headers=(*chained.headers[:outer], *came_back.headers))
