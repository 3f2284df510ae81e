"""Whether a segment list is valid (RFC 9256 section 5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Union

from .faults import Fault, Rule
from .identity import PolicyId
from .paths import Check, SegmentList
from .resolution import Unresolved, asks_to_verify, resolve, unverified
from .view import Sids, View

Resolved = Sequence[Union[IPv6Address, Unresolved]]


@dataclass(frozen=True)
class ListState:
    """A segment list at a headend: the SIDs that it has become (all of them, if it is valid) and its faults."""

    sids: Sids
    weight: int
    faults: tuple[Fault, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.faults


def judge_list(given: SegmentList, policy: PolicyId, checks: frozenset[Check], view: View) -> ListState:
    """A list with every fault that it has. Where it ends, and whether its probe comes back, is asked of one
    that has no other."""
    found = [resolve(segment, view.db) for segment in given.segments]
    sids = tuple(one for one in found if not isinstance(one, Unresolved))
    faults = [
        *_form(given),
        *_first(found, view),
        *_rest(given, found),
        *_verified(given, found, checks, view),
    ]
    if not faults:
        faults = [*_end(sids[-1], policy, checks, view), *dead(sids, policy, view)]
    return ListState(sids, given.weight, tuple(faults))


def _form(given: SegmentList) -> Iterator[Fault]:
    if not given.segments:
        yield Fault(Rule.EMPTY, "the list is empty")
    if given.weight == 0:
        yield Fault(Rule.WEIGHT, "its weight is 0")
    if len({segment.type.data_plane for segment in given.segments}) > 1:
        yield Fault(Rule.MIXED, "it mixes segments of SR-MPLS and of SRv6")


def _first(found: Resolved, view: View) -> Iterator[Fault]:
    for first in found[:1]:
        if isinstance(first, Unresolved):
            yield Fault(Rule.PATH, f"no path to the first segment: {first.why}")
        elif not view.egress_links(first):
            yield Fault(Rule.PATH, f"no path to the first SID {first}")


def _rest(given: SegmentList, found: Resolved) -> Iterator[Fault]:
    for number, (segment, sid) in enumerate(zip(given.segments, found), 1):
        if number > 1 and isinstance(sid, Unresolved):
            yield Fault(Rule.RESOLUTION, f"segment {number}, {segment}: {sid.why}")


def _verified(given: SegmentList, found: Resolved, checks: frozenset[Check], view: View) -> Iterator[Fault]:
    for number, (segment, sid) in enumerate(zip(given.segments, found), 1):
        asked = Check.SIDS in checks or asks_to_verify(segment)
        if asked and not isinstance(sid, Unresolved) and (why := unverified(segment, sid, view.db)):
            yield Fault(Rule.VERIFICATION, f"segment {number}: {why}")


def _end(last: IPv6Address, policy: PolicyId, checks: frozenset[Check], view: View) -> Iterator[Fault]:
    """Of a null endpoint the last segment is the destination (section 2.1), whatever it is."""
    if Check.ENDPOINT not in checks or policy.endpoint.is_unspecified:
        return
    known = view.db.by_sid.get(last)
    owner = known.node if known else view.db.owner(last)
    reached = known.link.neighbor if known and known.link else owner
    if reached is None or reached != view.db.owner(policy.endpoint):
        yield Fault(Rule.ENDPOINT, f"its last SID {last} doesn't lead to the endpoint {policy.endpoint}")


def dead(sids: Sids, policy: PolicyId, view: View) -> Iterator[Fault]:
    """A headend's own criterion, besides those of section 5."""
    if (policy.endpoint, sids) in view.dead:
        yield Fault(Rule.LIVENESS, f"the probe over {', '.join(map(str, sids))} doesn't come back")
