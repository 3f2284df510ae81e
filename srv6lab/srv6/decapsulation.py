"""The behaviors that end a policy: End.DX6, End.DX4, End.DT6, End.DT4, End.DT46, End.DX2
(RFC 8986 sections 4.4 to 4.9).

They hand on the packet that they expose. Its own hop limit or TTL is left to the forwarding that follows.
"""

from __future__ import annotations

from collections.abc import Mapping

from .endpoint import (
    ERRONEOUS_FIELD,
    ETHERNET,
    IPV4,
    IPV6,
    PARAMETER_PROBLEM,
    given,
    unrecognized_routing,
    upper_layer,
)
from .outer import Outer
from .packet import Packet
from .results import Adjacency, Forward, How, IcmpError, Interface, LocalSid, Result, Table


def end_dx6(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.4."""
    return _decapsulate(packet, sid, {IPV6: Adjacency(given(sid.nh6, "nh6"))})


def end_dx4(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.5."""
    return _decapsulate(packet, sid, {IPV4: Adjacency(given(sid.nh4, "nh4"))})


def end_dt6(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.6."""
    return _decapsulate(packet, sid, {IPV6: Table(given(sid.table, "table"))})


def end_dt4(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.7."""
    return _decapsulate(packet, sid, {IPV4: Table(given(sid.table, "table"))})


def end_dt46(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.8: T4 and T6 are the tables that both families have under one number."""
    table = Table(given(sid.table, "table"))
    return _decapsulate(packet, sid, {IPV4: table, IPV6: table})


def end_dx2(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.9."""
    return _decapsulate(packet, sid, {ETHERNET: Interface(given(sid.oif, "oif"))})


def _decapsulate(packet: Packet, sid: LocalSid, ways: Mapping[int | None, How]) -> Result:
    """The SRH (S02 and S03 of each section), then the upper layer: `ways` has the types that the behavior
    exposes, and how it forwards them."""
    outer = Outer.of(packet)
    if (unknown := unrecognized_routing(outer)) is not None:
        return unknown
    if outer.srh is not None and outer.srh.segments_left != 0:  # S02
        return IcmpError(PARAMETER_PROBLEM, ERRONEOUS_FIELD, outer.routing_offset + 3)  # S03
    way = ways.get(outer.upper_type)
    if way is not None:  # upper layer, S01
        return Forward(outer.exposed(), way)  # S02, S03
    return upper_layer(outer, sid)  # S05 of sections 4.4, 4.5 and 4.9, S06 of 4.6 and 4.7, S10 of 4.8
