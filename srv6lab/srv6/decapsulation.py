"""The behaviors that end a policy: End.DX6, End.DX4, End.DT6, End.DT4, End.DT46, End.DX2, End.DX2V, End.DT2U,
End.DT2M (RFC 8986 sections 4.4 to 4.12).

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
from .results import Adjacency, Forward, How, IcmpError, Interface, L2Match, L2Table, LocalSid, Result, Table


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


def end_dx2v(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.10: S03 is another."""
    return _decapsulate(packet, sid, {ETHERNET: L2Table(given(sid.table, "table"), L2Match.VLAN)})


def end_dt2u(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.11: S03, and S04 to S09."""
    table = L2Table(given(sid.table, "table"), L2Match.MAC, learns=True)
    return _decapsulate(packet, sid, {ETHERNET: table})


def end_dt2m(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.12: S03, and S04 with Arg.FE2, the argument of the SID."""
    number = given(sid.table, "table")
    excluded = int(Outer.of(packet).header.destination) & ((1 << sid.argument_length) - 1)
    table = L2Table(number, L2Match.ALL, learns=True, excluded=excluded)
    return _decapsulate(packet, sid, {ETHERNET: table})


def _decapsulate(packet: Packet, sid: LocalSid, ways: Mapping[int | None, How]) -> Result:
    """The SRH (S02 and S03 of each section), then the upper layer: `ways` has the types that the behavior
    exposes, and how it forwards them."""
    outer = Outer.of(packet)
    if (unknown := unrecognized_routing(outer)) is not None:
        return unknown
    if outer.srh is not None:  # S02
        return IcmpError(PARAMETER_PROBLEM, ERRONEOUS_FIELD, outer.routing_offset + 3)  # S03
    way = ways.get(outer.upper_type)
    if way is not None:  # upper layer, S01
        return Forward(outer.exposed(), way)  # S02, S03
    return upper_layer(
        outer, sid
    )  # S05 of 4.4, 4.5, 4.9, 4.10 and 4.12, S06 of 4.6 and 4.7, S10 of 4.8, S11 of 4.11
