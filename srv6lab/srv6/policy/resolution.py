"""From a segment to a SID (RFC 9256 section 4), and what a headend verifies of it (section 5.1).

A headend here has the SRv6 data plane alone: what needs SR-MPLS is refused by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address

from .segments import DataPlane, InterfaceSegment, Label, LinkSegment, NodeSegment, Segment, SidSegment
from .sr_db import KnownSid, Link, SrDb


@dataclass(frozen=True)
class Unresolved:
    """No SID, and why."""

    why: str


def resolve(segment: Segment, db: SrDb) -> IPv6Address | Unresolved:
    """The SID that a segment stands for at a headend that knows `db`."""
    if isinstance(segment, SidSegment):
        return segment.sid
    if isinstance(segment, Label) or segment.type.data_plane is DataPlane.MPLS:
        return Unresolved(f"{segment.type} is for SR-MPLS, and this headend has SRv6")
    if isinstance(segment, NodeSegment):
        node = db.owner(segment.prefix)
        if node is None:
            return Unresolved(f"no node is known that {segment.prefix} comes from")
        return _sid_of(db.node_sid(node, segment.algorithm), f"{node} has no End SID", segment.algorithm)
    link = _by_interface(segment, db) if isinstance(segment, InterfaceSegment) else _by_ends(segment, db)
    if isinstance(link, Unresolved):
        return link
    return _sid_of(db.link_sid(link, segment.algorithm), f"{link} has no End.X SID", segment.algorithm)


def _sid_of(known: KnownSid | None, missing: str, algorithm: int | None) -> IPv6Address | Unresolved:
    if known is not None:
        return known.sid
    return Unresolved(missing if algorithm is None else f"{missing} of algorithm {algorithm}")


def _by_interface(segment: InterfaceSegment, db: SrDb) -> Link | Unresolved:
    node = db.owner(segment.prefix)
    if node is None:
        return Unresolved(f"no node is known that {segment.prefix} comes from")
    found = [one for one in db.links if one.node == node and one.interface == segment.interface]
    if segment.remote_interface is not None:
        found = [one for one in found if one.remote_interface == segment.remote_interface]
    if segment.remote_prefix is not None:
        neighbor = db.owner(segment.remote_prefix)
        found = [one for one in found if one.neighbor == neighbor]
    if len(found) > 1:
        return Unresolved(f"{len(found)} neighbors are behind {segment}: say which is remote")
    return found[0] if found else Unresolved(f"no link is known behind {segment}")


def _by_ends(segment: LinkSegment, db: SrDb) -> Link | Unresolved:
    found = (one for one in db.links if (one.local, one.remote) == (segment.local, segment.remote))
    return next(found, Unresolved(f"{segment} is not known"))


def asks_to_verify(segment: Segment) -> bool:
    """Whether a segment brings along what its SID has to be, which asks the headend to verify it."""
    if isinstance(segment, Label):
        return False
    return bool(segment.behavior) or (not isinstance(segment, SidSegment) and segment.sid is not None)


def unverified(segment: Segment, sid: IPv6Address, db: SrDb) -> str:
    """Why the SID that a segment has become can't be verified; empty if it can."""
    given = getattr(segment, "sid", sid)
    if given is not None and given != sid:
        return f"{segment} resolves to {sid}, not to {given}"
    known = db.by_sid.get(sid)
    if known is None:
        return f"{sid} is not in the SR database"
    behavior = getattr(segment, "behavior", "")
    return f"{sid} is {known.behavior}, not {behavior}" if behavior not in ("", known.behavior) else ""
