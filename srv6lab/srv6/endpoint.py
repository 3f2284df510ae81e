"""End, End.X and End.T with their flavors, and the upper layer of every behavior (RFC 8986 section 4).

The numbers beside the code are the lines of the section's pseudo-code. What is in no pseudo-code (a fragment,
a routing header of another type) is RFC 8200's.
"""

from __future__ import annotations

from typing import TypeVar

from .csid import NextCsid
from .outer import Outer, without_srh
from .packet import Packet, Routing, Srh
from .results import Adjacency, Deliver, Flavor, Forward, How, IcmpError, LocalSid, Lookup, Result, Table

T = TypeVar("T")
IPV4, IPV6, ETHERNET = 4, 41, 143
TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 4  # RFC 4443 sections 3.3 and 3.4
ERRONEOUS_FIELD, UPPER_LAYER_ERROR = 0, 4  # RFC 4443 section 3.4; RFC 8754 section 4.3.1.2


def end(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.1."""
    return segment(packet, sid, Lookup())  # S15


def end_x(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.2: S15 is another."""
    return segment(packet, sid, Adjacency(given(sid.nh6, "nh6")))  # S15


def end_t(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.3: S15 is another."""
    return segment(packet, sid, Table(given(sid.table, "table")))  # S15.1, S15.2


def segment(packet: Packet, sid: LocalSid, how: How) -> Result:
    """The pseudo-code that End, End.X, End.T and the binding SIDs share. N01 stands in front of S02, and again in
    front of whatever other header comes first but options (RFC 9800 section 4.1.1)."""
    outer = Outer.of(packet)
    csid, destination = sid.next_csid, outer.header.destination
    if csid is not None and csid.argument(destination):  # N01
        if outer.header.hop_limit <= 1:  # N02
            return IcmpError(TIME_EXCEEDED, 0)  # N03
        return Forward(_moved_up(outer, csid), how)  # N05 to N08
    if Flavor.USP in sid.flavors:
        outer = Outer.of(outer.without_exhausted())  # S02; section 4.16.2, S03.1 to S03.3
    if (unknown := unrecognized_routing(outer)) is not None:
        return unknown
    srh = outer.srh
    if srh is None:  # S02
        return _upper_layer(outer, sid, how)  # S03
    if outer.header.hop_limit <= 1:  # S05
        popped = Flavor.PSP in sid.flavors and srh.segments_left == 1
        late = without_srh(outer.packet, outer.routing) if popped else None
        return IcmpError(TIME_EXCEEDED, 0, late=late)  # S06
    max_le = srh.hdr_ext_len // 2 - 1  # S08
    if srh.last_entry > max_le or srh.segments_left > srh.last_entry + 1:  # S09
        return IcmpError(PARAMETER_PROBLEM, ERRONEOUS_FIELD, outer.routing_offset + 3)  # S10
    return Forward(_advanced(outer, srh, sid.flavors), how)


def _moved_up(outer: Outer, csid: NextCsid) -> Packet:
    destination = csid.moved_up(outer.header.destination)  # N05, N06
    return outer.with_header(outer.header.toward(destination, outer.header.hop_limit - 1))  # N07


def _advanced(outer: Outer, srh: Srh, flavors: frozenset[Flavor]) -> Packet:
    """The packet on its way to its next segment."""
    left = srh.segments_left - 1  # S13
    headers = list(outer.packet.headers)
    headers[outer.routing] = srh.with_segments_left(left)
    headers[0] = outer.header.toward(srh.segment_list[left], outer.header.hop_limit - 1)  # S14, S12
    packet = outer.packet.with_headers(tuple(headers))
    if Flavor.PSP in flavors and left == 0:  # section 4.16.1, S14.1
        return without_srh(packet, outer.routing)  # S14.2 to S14.4
    return packet


def _upper_layer(outer: Outer, sid: LocalSid, how: How) -> Result:
    """Section 4.16.3 for the flavor USD, which forwards what it exposes the way its behavior does. The lines are
    End's; End.T has table T in between (S03, S07), End.X has both types in one (S01 to S03)."""
    if Flavor.USD in sid.flavors and outer.upper_type in (IPV6, IPV4):  # S01, S04
        return Forward(outer.exposed(), how)  # S02, S03; S05, S06
    return upper_layer(outer, sid)  # S08


def upper_layer(outer: Outer, sid: LocalSid) -> Result:
    """Section 4.1.1. A fragment is put together first (RFC 8200 section 4.5)."""
    if outer.upper_type is None or outer.upper_type in sid.upper_layers:  # S01
        return Deliver(outer.packet)  # S02
    return IcmpError(PARAMETER_PROBLEM, UPPER_LAYER_ERROR, outer.upper_offset)  # S04


def unrecognized_routing(outer: Outer) -> IcmpError | None:
    """RFC 8200 section 4.4, for a type of routing header that isn't the SRH's: ignored when it has come to its
    end, else pointed at."""
    header = outer.packet.headers[outer.routing]
    if isinstance(header, Routing):
        return IcmpError(PARAMETER_PROBLEM, ERRONEOUS_FIELD, outer.routing_offset + 2)
    return None


def given(value: T | None, name: str) -> T:
    """A parameter that the behavior can't do without."""
    if value is None:
        raise ValueError(f"the local SID has no {name}")
    return value
