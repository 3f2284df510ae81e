"""Checks of BGP sessions: both ends say the same of one, and what is said fits its kind."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.bgp import Session, sessions
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, line_of, warning


@check
def key_of_another_kind(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Reflectors are inside an AS (RFC 4456), and only sessions between two end after so many links."""
    for session in sessions(view):
        one, number = session.one, session.as_here
        if one.reflector_client and session.ebgp:
            what = f"{one.node} is in AS {session.as_there}, and clients of a route reflector are in its own AS {number}"
            yield Problem(
                locate((*session.path, "reflector_client"), key=True), what, "take `reflector_client` away"
            )
        if one.multihop is not None and not session.ebgp:
            what = f"{one.node} is in AS {number}, too: a session inside an AS may pass any number of links"
            yield Problem(locate((*session.path, "multihop"), key=True), what, "take `multihop` away")
        if one.multihop is not None and session.ebgp and one.via == "link":
            what = f"the session with {one.node} is over the link between them, and passes no other"
            mend = "take `multihop` away, or say `via: loopback`"
            yield Problem(locate((*session.path, "multihop"), key=True), what, mend)
        if session.vrf and session.by_loopback:
            what = f"the session with {one.node} is in {session.vrf}, and loopbacks are in no VRF"
            yield Problem(locate((*session.path, "node")), what, "say `via: link`, or take `multihop` away")


@check
def ends_that_do_not_meet(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Each end opens the session to the address that the other one opens it from."""
    every = [one for one in sessions(view) if one.ends]
    by_pair = {(one.name, one.one.node, one.ends) for one in every if one.ends}
    answered = {(one.one.node, one.name) for one in every}
    for one in every:
        if one.ends and (one.name, one.one.node) in answered:
            mine, theirs = one.ends
            if (one.one.node, one.name, (theirs, mine)) not in by_pair:
                other = next(it for it in every if (it.one.node, it.name) == (one.name, one.one.node))
                instead = other.ends[1] if other.ends else ""
                what = f"the session goes from {mine} to {theirs}, and {one.one.node} opens it to {instead}"
                mend = "say `via` and `multihop` alike at both ends"
                if other.by_loopback == one.by_loopback:
                    mend = "say the same `families` at both ends: `[ipv4]` alone is spoken over IPv4"
                yield Problem(locate((*one.path, "node")), what, mend)


@check
def session_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    known: dict[tuple[str, str, object], Session] = {}
    for one in sessions(view):
        if one.ends is None:
            continue
        first = known.setdefault((one.name, one.vrf, one.ends), one)
        if first is not one:
            where = locate((*one.path, "node"))
            what = f"{one.name} already has a session with {one.one.node} between these addresses"
            yield Problem(
                where, f"{what} ({line_of(locate, first.path)})", "say all its `families` at one of them"
            )


@check
def family_of_one_end(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What only one end speaks, nobody tells."""
    by_ends: dict[tuple[str, str, object], list[Session]] = {}
    for one in sessions(view):
        by_ends.setdefault((one.name, one.one.node, one.ends), []).append(one)
    for one in sessions(view):
        back = one.ends and (one.ends[1], one.ends[0])
        answers = by_ends.get((one.one.node, one.name, back), []) if back else []
        for index, family in enumerate(one.one.families):
            if answers and not any(family in it.one.families for it in answers):
                where = locate((*one.path, "families", index))
                what = f"{one.one.node} doesn't speak {family} with {one.name}, so it isn't spoken"
                yield warning(where, what, f"add it to the `families` of {one.name} on {one.one.node}")


@check
def family_over_ipv4(view: Facts, locate: Locate) -> Iterator[Problem]:
    """IPv6 next hops don't fit an IPv4 session by themselves: one of the same NIC is taken."""
    for one in sessions(view):
        if one.ends is None or one.ends[0].version == 6:
            continue
        for index, family in enumerate(one.one.families):
            where = locate((*one.path, "families", index))
            if family in ("vpnv4", "vpnv6"):
                what = f"the session with {one.one.node} is over IPv4, and SIDs are IPv6 addresses"
                yield Problem(where, what, "give both ends IPv6 addresses there")
            elif family == "ipv6" and not _has_ipv6(view, one):
                what = (
                    f"the session with {one.one.node} is over IPv4, and {one.name} has no IPv6 address there"
                )
                yield Problem(where, what, "give both ends IPv6 addresses there, or take `ipv6` away")


def _has_ipv6(view: Facts, one: Session) -> bool:
    if one.by_loopback:
        return any(it.version == 6 for it in one.here.loopbacks)
    ends = (
        nic.link.interfaces(nic.link.endpoints.index(nic.endpoint)) for nic in view.nics.get(one.name, ())
    )
    of_nic = next((all_ for all_ in ends if one.ends and one.ends[0] in {it.ip for it in all_}), ())
    return any(it.version == 6 and not it.is_link_local for it in of_nic)
