"""Checks of the SIDs that BGP tells outside of VPNs."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.bgp import Session, sessions
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.sid_structure import function_in
from srv6lab.topology.unicast_sids import FUNCTIONS, spoken, unicast_sids
from srv6lab.topology.vpn_sids import explicit_sids, structure_in


@check
def sid_of_no_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The SID is a function behind the node's locator, and nobody else's."""
    taken = {(one.value.node, one.value.sid) for one in view.local_sids}
    for name, node in routers(view):
        if node.bgp is None or not node.bgp.sids:
            continue
        path = ("nodes", name, "bgp", "sid")
        if node.locator is None or node.loopback is None:
            lacking = "a `locator`" if node.locator is None else "an IPv6 address in `loopback`"
            what = f"a SID of {name} needs {lacking}"
            yield Problem(locate(path, key=True), what, f"give {name} {lacking}")
            continue
        if node.every_locator[node.first_locator].usid:
            what = f"the locator of {name} has compressed SIDs, and those of BGP outside of VPNs are whole"
            yield Problem(
                locate(path, key=True), what, f"name a locator without `behavior: usid` first on {name}"
            )
            continue
        length = structure.function if (structure := structure_in(node)) else 0
        for index, one in enumerate(unicast_sids(node)):
            where = locate((*path, min(index, len(node.bgp.sids) - 1)))
            auto = node.bgp.sids[min(index, len(node.bgp.sids) - 1)] == "auto"
            if function_in(node.locator, one.sid, length) is None:
                what = f"{one.sid} is no function of {length} bits behind the locator {node.locator}"
                mend = "say a `function` of 8 bits or more" if auto else "write `sid: auto`, or another SID"
                yield Problem(where, what, mend)
            elif (name, one.sid) in taken or one.sid in explicit_sids(node.vpns.values()):
                mend = "write two SIDs in place of `auto`" if auto else "write another one"
                yield Problem(where, f"{one.sid} is already another SID of {name}", mend)
            elif index and one.sid == unicast_sids(node)[0].sid:
                what = f"{one.sid} can't take both IPv4 and IPv6: in the main table a SID takes one of them"
                yield Problem(where, what, "write another one")


@check
def sids_of_families(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A SID takes one IP version, since Linux has End.DT46 only for VRFs."""
    for name, node in routers(view):
        if node.bgp is None or not node.bgp.sids or node.bgp.sids == ("auto",):
            continue
        where = locate(("nodes", name, "bgp", "sid"), key=True)
        if len(node.bgp.sids) == 1 and len(spoken(node.bgp)) == len(FUNCTIONS):
            what = f"{name} has routes of IPv4 and IPv6, and in the main table a SID takes one of them"
            yield Problem(where, what, "write two SIDs, that of IPv4 first, or `auto`")


@check
def sid_that_nobody_is_told(view: Facts, locate: Locate) -> Iterator[Problem]:
    """SIDs are told inside the AS, over IPv6, with what isn't a VPN's."""
    told = {
        one.name
        for one in sessions(view)
        if not one.ebgp and one.ends and one.ends[0].version == 6 and _unicast(one)
    }
    for name, node in routers(view):
        if node.bgp and node.bgp.sids and name not in told and view.nodes_known:
            what = f"nobody is told of the SID of {name}: it has no session inside its AS over IPv6 with ipv4 or ipv6"
            where = locate(("nodes", name, "bgp", "sid"), key=True)
            yield Problem(where, what, "add one, or take `sid` away")


@check
def next_hop_that_nobody_watches(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR watches whether the SID of a route can be reached, and not its next hop: by that it only lays the route, as it was
    at that time."""
    from_outside = {one.name for one in sessions(view) if one.ebgp and _unicast(one)}
    for one in sessions(view):
        bgp = one.here.bgp
        if bgp is None or not bgp.sids or one.ebgp or one.one.next_hop_self or not _unicast(one):
            continue
        others = [source for source in bgp.redistribute if source != "connected"]
        if one.name in from_outside or others:
            of = "of another AS" if one.name in from_outside else f"of {others[0]}"
            what = (
                f"{one.name} tells {one.one.node} routes {of} with its SID and a next hop that isn't its own"
            )
            yield Problem(locate((*one.path, "node")), what, "add `next_hop_self: true`")


def _unicast(one: Session) -> bool:
    return bool({"ipv4", "ipv6"} & {*one.one.families}) and not one.vrf
