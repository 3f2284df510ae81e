"""Outer headers as Linux pushes them, where the RFC leaves them to the node or Linux departs from it."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet


def like(given: Encapsulation, packet: Packet) -> Encapsulation:
    """The outer header takes after the packet where the RFC leaves it to the node; what Linux does, for IPv6."""
    first = packet.headers[0]
    if not isinstance(first, Ipv6):
        return given
    return replace(given, hop_limit=first.hop_limit, traffic_class=first.traffic_class)


def with_a_hop(packet: Packet) -> Packet:
    """A packet that is out of hops, with one more: where the hop is taken off the outer header nobody looks."""
    first = packet.headers[0]
    if isinstance(first, Ipv4):
        return replace(packet, headers=(replace(first, ttl=first.ttl + 1), *packet.headers[1:]))
    assert isinstance(first, Ipv6)
    return replace(packet, headers=(replace(first, hop_limit=first.hop_limit + 1), *packet.headers[1:]))


def hop_still_due(pushed: Packet) -> Packet:
    """A packet in a policy, with the hop of what is inside not yet taken."""
    index = next(n for n, one in enumerate(pushed.headers) if n and isinstance(one, Ipv6))
    inner = pushed.headers[index]
    assert isinstance(inner, Ipv6)
    inner = replace(inner, hop_limit=inner.hop_limit + 1)
    return replace(pushed, headers=(*pushed.headers[:index], inner, *pushed.headers[index + 1 :]))


def hop_left(sent_on: Packet, came: Packet) -> Packet:
    """A packet that a behavior sends on, with the hop limit that it came with."""
    first, before = sent_on.headers[0], came.headers[0]
    if not isinstance(first, Ipv6) or not isinstance(before, Ipv6):
        return sent_on
    return replace(sent_on, headers=(replace(first, hop_limit=before.hop_limit), *sent_on.headers[1:]))
