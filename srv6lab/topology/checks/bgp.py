"""Checks of BGP sessions: what they name is there, and what one needs of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import no_node
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Node
from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Address
from srv6lab.topology.sessions import Ends, ends_of_session, leads_by_loopback

_OF_VPNS = {"vpnv4", "vpnv6"}


def neighbors(view: Facts) -> Iterator[tuple[str, Node, Path, Neighbor, str]]:
    """Every BGP session that a node names: its place, and the VRF that it is in."""
    for name, node in routers(view):
        for index, one in enumerate(node.bgp.neighbors if node.bgp else ()):
            yield name, node, ("nodes", name, "bgp", "neighbors", index), one, ""
        for vrf, found in node.vpns.items():
            for index, one in enumerate(found.neighbors):
                yield name, node, ("nodes", name, "vrfs", vrf, "neighbors", index), one, vrf


@dataclass(frozen=True, slots=True)
class Session:
    """A session as one end says it, where both nodes have BGP; `ends` are its two addresses, None if there are none."""

    name: str
    here: Node
    there: Node
    path: Path
    one: Neighbor
    vrf: str
    as_here: int
    as_there: int
    ends: Ends | None

    @property
    def ebgp(self) -> bool:
        return self.as_here != self.as_there

    @property
    def by_loopback(self) -> bool:
        return leads_by_loopback(self.one, self.ebgp)


@lru_cache(maxsize=1)  # the checks of one file ask one after the other
def sessions(view: Facts) -> tuple[Session, ...]:
    return tuple(_sessions(view))


def _sessions(view: Facts) -> Iterator[Session]:
    for name, node, path, one, vrf in neighbors(view):
        there = view.nodes.get(one.node)
        if node.bgp and there and there.bgp and there is not node:
            links = ((nic.link, nic.link.endpoints.index(nic.endpoint)) for nic in view.nics.get(name, ()))
            numbers = node.bgp.as_number, there.bgp.as_number
            ends = ends_of_session(one, numbers[0] != numbers[1], node, there, links, vrf)
            yield Session(name, node, there, path, one, vrf, *numbers, ends)


@check
def unknown_neighbor(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, _, path, one, _vrf in neighbors(view):
        where = locate((*path, "node"))
        if words := no_node(view, one.node):
            yield Problem(where, *words)
        elif one.node == name:
            yield Problem(where, f"{name} names itself: a session is with another node", "name that one")
        elif one.node in view.nodes and view.nodes[one.node].bgp is None:
            yield Problem(where, f"{one.node} has no BGP, so {name} has no session with it", "give it `bgp`")


@check
def neighbor_out_of_reach(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Both ends need addresses of one IP version: on their loopbacks, or on a link that both are on."""
    for session in sessions(view):
        if session.ends or not (session.by_loopback or view.clear(session.name)):
            continue
        if session.vrf and session.by_loopback:
            continue  # which has its own problem
        where = locate((*session.path, "node"))
        if session.by_loopback:
            yield from (Problem(where, *words) for words in _without_loopbacks(session))
        else:
            place = f" in {session.vrf}" if session.vrf else ""
            what = f"{session.name} has no link to {session.one.node}{place}"
            if session.ebgp:
                what += f", which is in AS {session.as_there}"
            mend = "connect them, or name another node"
            if link := _bare(view, session):
                what = f"link {link} has link-local addresses only, and sessions are between others here"
                mend = "give it a prefix, or say `via: loopback`"
            yield Problem(where, what, mend)


def _bare(view: Facts, session: Session) -> str:
    """A link between the two nodes of a session without addresses, "" if there is none."""
    nics = (nic for nic in view.nics.get(session.name, ()) if nic.vrf == session.vrf)
    links = (nic.link for nic in nics if session.one.node in {one.node for one in nic.link.endpoints})
    return next((link.name for link in links if all(one.is_link_local for one in link.prefixes)), "")


def _without_loopbacks(session: Session) -> Iterator[tuple[str, str]]:
    how = f"inside AS {session.as_there}" if not session.ebgp else "between loopbacks"
    ends = ((session.name, session.here), (session.one.node, session.there))
    lacking = [name for name, node in ends if not node.loopbacks]
    for name in lacking:
        yield (
            f"the session with {session.one.node} is {how}, and {name} has no loopback",
            f"give {name} a `loopback`",
        )
    if not lacking:
        what = f"the loopbacks of {session.name} and {session.one.node} have no IP version in common"
        yield what, "give both an IPv6 address in `loopback`"


@check
def session_is_answered(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Both ends of a session name each other, or neither opens it. An end with a misspelled neighbor may have."""
    sessions = {(name, one.node) for name, _, _, one, _ in neighbors(view)}
    unclear = {name for name, other in sessions if not view.knows(other)}
    for name, _, path, one, _vrf in neighbors(view):
        there = view.nodes.get(one.node)
        if one.node in unclear or there is None or there.bgp is None:
            continue
        if (one.node, name) not in sessions:
            what = f"{one.node} has no session with {name}"
            yield Problem(locate((*path, "node")), what, f"name {name} among the neighbors of {one.node}")


@check
def next_hop_is_unknown(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A border hands VPN routes on with the next hop of the other AS, to which the core has no route."""
    for name, node, path, one, vrf in neighbors(view):
        there = view.nodes.get(one.node)
        if vrf or node.bgp is None or there is None or there.bgp is None or not _OF_VPNS & {*one.families}:
            continue
        inside = there.bgp.as_number == node.bgp.as_number and not one.next_hop_self
        if inside and not all(_leads_to(there, hop) for hop in _next_hops(view, name, node)):
            what = f"{name} hands VPN routes of another AS on to {one.node}, which has no route to their next hop"
            mend = f"add `next_hop_self: true`, or give {one.node} a static route to that link"
            yield Problem(locate((*path, "node")), what, mend)


def _next_hops(view: Facts, name: str, node: Node) -> Iterator[Address]:
    """Those of the VPN routes that come from other ASes, on links that the node's own AS doesn't route."""
    outside = {
        one.node
        for one in (node.bgp.neighbors if node.bgp else ())
        if _OF_VPNS & {*one.families} and (there := view.nodes.get(one.node)) and there.bgp
        if node.bgp and there.bgp.as_number != node.bgp.as_number
    }
    for link in (nic.link for nic in view.nics.get(name, ()) if nic.link.isis is None):
        for end, one in enumerate(link.endpoints):
            if one.node in outside and (address := link.address(end)):
                yield address


def _leads_to(node: Node, address: Address) -> bool:
    return any(
        address in route.prefix for route in node.routes if not (route.type or route.table or route.vrf)
    )
