"""The O-flag (RFC 9259 section 2.1.1): a marked packet is copied to the node's OAM process, where local configuration
permits it, and goes on. What the process exports, and how it limits its rate, is no part of this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .outer import Outer
from .packet import Packet, Srh
from .results import LocalSid, Result

O_FLAG = 0x20  # bit 2 of the SRH's flags, counted from the left


def watched(act: Callable[[Packet, LocalSid], Result]) -> Callable[[Packet, LocalSid], Result]:
    """The behavior, and before it S01.1: the copy is of the packet as it came, whatever then happens to it."""

    def acting(packet: Packet, sid: LocalSid) -> Result:
        result = act(packet, sid)
        return replace(result, oam=packet) if sid.oam and _is_marked(packet) else result  # S01.1

    return acting


def _is_marked(packet: Packet) -> bool:
    """Whether an SRH that is processed has the flag: those that have none left, and the first that has some."""
    outer = Outer.of(packet)
    end = outer.routing + 1 if outer.routing else outer.upper
    return any(isinstance(header, Srh) and header.flags & O_FLAG for header in packet.headers[:end])
