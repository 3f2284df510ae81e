"""Checks of BGP sessions: what they name is there, and what one needs of another."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import no_node
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Node
from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Address


def neighbors(view: Facts) -> Iterator[tuple[str, Node, Path, Neighbor, str]]:
    """Every BGP session that a node names: its place, and the VRF that it is in."""
    for name, node in routers(view):
        for index, one in enumerate(node.bgp.neighbors if node.bgp else ()):
            yield name, node, ("nodes", name, "bgp", "neighbors", index), one, ""
        for vrf, found in node.vpns.items():
            for index, one in enumerate(found.neighbors):
                yield name, node, ("nodes", name, "vrfs", vrf, "neighbors", index), one, vrf


@check
def unknown_neighbor(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, _, path, one, _vrf in neighbors(view):
        where = locate((*path, "node"))
        if words := no_node(view, one.node):
            yield Problem(where, *words)
        elif one.node in view.nodes and view.nodes[one.node].bgp is None:
            yield Problem(where, f"{one.node} has no BGP, so {name} has no session with it", "give it `bgp`")


@check
def neighbor_out_of_reach(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Inside an AS a session leads from loopback to loopback, between two over a link."""
    for name, node, path, one, vrf in neighbors(view):
        there = view.nodes.get(one.node)
        if there is None or there.bgp is None or node.bgp is None:
            continue
        where = locate((*path, "node"))
        if node.bgp.as_number == there.bgp.as_number:
            for end, found in ((name, node), (one.node, there)):
                if found.loopback is None:
                    what = f"the session with {one.node} is inside AS {node.bgp.as_number}, and {end} has no loopback"
                    yield Problem(where, what, f"give {end} a `loopback`")
        elif view.clear(name) and not _linked(view, name, one.node, vrf):
            place = f" in {vrf}" if vrf else ""
            what = f"{name} has no link to {one.node}{place}, which is in AS {there.bgp.as_number}"
            yield Problem(where, what, "connect them, or name another node")


def _linked(view: Facts, name: str, other: str, vrf: str) -> bool:
    return any(
        other in (end.node for end in nic.link.endpoints) and (nic.endpoint.vrf or "") == vrf
        for nic in view.nics.get(name, ())
    )


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
        if vrf or node.bgp is None or there is None or there.bgp is None or "vpnv4" not in one.families:
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
        if "vpnv4" in one.families and (there := view.nodes.get(one.node)) and there.bgp
        if node.bgp and there.bgp.as_number != node.bgp.as_number
    }
    for link in (nic.link for nic in view.nics.get(name, ()) if nic.link.isis is None):
        for end, one in enumerate(link.endpoints):
            if one.node in outside and (address := link.address(end)):
                yield address


def _leads_to(node: Node, address: Address) -> bool:
    return any(address in route.prefix for route in node.routes if not (route.type or route.table or route.vrf))
