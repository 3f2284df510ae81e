"""The largest packets of a transfer: as large as both ends let them be, and as their sender makes them when it is told
that they are too big (RFC 1191, RFC 8201)."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from srv6lab.predict.forwarding import walks
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.packet_view import size
from srv6lab.predict.sending import sent
from srv6lab.predict.walk import Ended
from srv6lab.srv6.packet import Ipv4, Ipv6, Packet, build
from srv6lab.topology.exercises import Probe
from srv6lab.topology.places import Place

_OPTIONS = 12  # the timestamps that Linux writes into each segment (RFC 7323)
_LEAST = 576  # bytes: nobody makes them smaller


def largest(lab: ModeledLab, probe: Probe, quirks: frozenset[str]) -> Sequence[Ended]:
    """The walks of such a packet; none where not even a small one arrives."""
    first, sender = sent(lab, probe), Place(probe.source)
    small = [*walks(lab, first, sender, quirks)]
    ends = {hop.point for one in small for hop in (*one.walk.hops[:1], *one.walk.hops[-1:])}
    if not small or not all(one.end.delivered and one.walk.hops for one in small):
        return ()
    room = min(nic.mtu for node in lab.plan.nodes for nic in node.nics if nic.point in ends)
    room = min(room, size(first) + _OPTIONS + probe.count)
    while True:
        found = [*walks(lab, _of_size(first, room), sender, quirks)]
        told = [one.end.too_big for one in found if one.end.too_big and _is_told(one, first, sender)]
        if not told or room <= _LEAST:
            return found
        room -= max(one.bytes - one.mtu for one in told)


def _of_size(first: Packet, room: int) -> Packet:
    """The same with as many bytes behind it."""
    return build(*first.headers, payload=bytes(max(0, room - size(first))))


def _is_told(one: Ended, first: Packet, sender: Place) -> bool:
    """Whether the sender hears that it is too big: what a headend wrapped on its way tells only the headend."""
    return one.end.place == sender or _source(one.walk.packet) == _source(first)


def _source(packet: Packet) -> IPv4Address | IPv6Address | None:
    header = packet.headers[0]
    return header.source if isinstance(header, Ipv4 | Ipv6) else None
