"""TEMPORARY until srv6.proxy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from srv6lab.srv6.endpoint import segment
from srv6lab.srv6.outer import Outer
from srv6lab.srv6.packet import Packet
from srv6lab.srv6.results import Discard, Forward, LocalSid, Lookup, Result

ROUTED = "proxied-packet-is-routed"


@dataclass(frozen=True, slots=True)
class Exposed:
    packet: Packet
    chain: Packet


def end_ad(packet: Packet, name: str) -> Exposed | Result:
    srh = Outer.of(packet).srh
    if srh is None or srh.segments_left == 0:
        return Discard("a proxy can't be the last segment")
    result = segment(packet, LocalSid(), Lookup())
    if not isinstance(result, Forward):
        return result
    outer = Outer.of(result.packet)
    if outer.upper_type != 4:
        return Discard("what is inside is not IPv4")
    return Exposed(outer.exposed(), replace(result.packet, headers=result.packet.headers[: outer.upper]))


def back_to_chain(packet: Packet, chain: Packet) -> Packet:
    first = Outer.of(chain).header
    size = len(packet.to_bytes()) + sum(len(h.to_bytes()) for h in chain.headers[1:])
    return replace(packet, headers=(replace(first, payload_length=size), *chain.headers[1:], *packet.headers))
