"""A local SID that steers into a policy: End.B6.Encaps and End.B6.Encaps.Red (RFC 8986 sections 4.13, 4.14)."""

from __future__ import annotations

from dataclasses import replace

from .encapsulation import Encapsulation, push
from .endpoint import given, segment
from .packet import Packet, Srh
from .results import Forward, LocalSid, Lookup, Result


def end_b6_encaps(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.13. Of a policy of one segment the SRH is pushed too, as it may be."""
    policy = given(sid.policy, "policy")
    return _bound(packet, sid, policy, policy.srh)


def end_b6_encaps_red(packet: Packet, sid: LocalSid) -> Result:
    """RFC 8986 section 4.14: with a reduced SRH."""
    policy = given(sid.policy, "policy")
    return _bound(packet, sid, policy, policy.reduced)


def _bound(packet: Packet, sid: LocalSid, policy: Encapsulation, srh: Srh | None) -> Result:
    """S01 to S14 are those of End without the flavors of section 4.16, which gives this behavior none. With
    NEXT-CSID it has End's N01 to N07 too (RFC 9800 sections 4.1.4 and 4.1.5)."""
    result = segment(packet, replace(sid, flavors=frozenset()), Lookup())
    if isinstance(result, Forward):
        return Forward(push(result.packet, policy, srh), Lookup())  # S15 to S19; N08
    return result
