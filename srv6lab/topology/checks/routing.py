"""Checks of IS-IS, BGP and VPNs: what they name is there, and what one needs of another."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.actions.withdraw import WithdrawAction
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import no_node, repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.model import Node
from srv6lab.topology.routing import Neighbor


def _routers(view: Facts) -> Iterator[tuple[str, Node]]:
    """The sound nodes with routing protocols."""
    yield from ((name, node) for name, node in view.nodes.items() if node.isis or node.bgp or node.vpns)


def _neighbors(view: Facts) -> Iterator[tuple[str, Node, Path, Neighbor, str]]:
    """Every BGP session that a node names: its place, and the VRF that it is in."""
    for name, node in _routers(view):
        for index, one in enumerate(node.bgp.neighbors if node.bgp else ()):
            yield name, node, ("nodes", name, "bgp", "neighbors", index), one, ""
        for vrf, found in node.vpns.items():
            for index, one in enumerate(found.neighbors):
                yield name, node, ("nodes", name, "vrfs", vrf, "neighbors", index), one, vrf


@check
def routing_on_a_host(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in _routers(view):
        if node.role != "router":
            key = next(
                key for key in ("isis", "bgp", "vrfs") if getattr(node, "vpns" if key == "vrfs" else key)
            )
            what = f"{name} is a {node.role}, and FRR runs on routers"
            yield Problem(locate(("nodes", name, key), key=True), what, f"give {name} `role: router`")


@check
def router_id_missing(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR then leaves TLV 242 out without a word, and BGP stays idle."""
    for name, node in _routers(view):
        if node.router_id is None:
            key = next(
                key for key in ("isis", "bgp", "vrfs") if getattr(node, "vpns" if key == "vrfs" else key)
            )
            what = f"{name} has routing protocols and no `router_id`"
            yield Problem(locate(("nodes", name, key), key=True), what, "add `router_id: 192.0.2.1`")


@check
def router_id_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    pairs = ((node.router_id, ("nodes", name)) for name, node in _routers(view) if node.router_id)
    for router_id, first, path in repeated(pairs):
        what = f"{first[1]} already has the router id {router_id} ({line_of(locate, (*first, 'router_id'))})"
        yield Problem(locate((*path, "router_id")), what, "give each router one of its own")


@check
def net_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The system id is the three groups before the selector (ISO 10589 section 7.1)."""
    pairs = ((node.isis.net.split(".")[-4:-1], ("nodes", name)) for name, node in _routers(view) if node.isis)
    for system, first, path in repeated((".".join(system), path) for system, path in pairs):
        what = f"{first[1]} already has the system id {system} ({line_of(locate, (*first, 'isis', 'net'))})"
        yield Problem(locate((*path, "isis", "net")), what, "give each router one of its own")


@check
def isis_link_without_isis(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        if item.value.isis is None:
            continue
        for endpoint in item.value.endpoints:
            node = view.nodes.get(endpoint.node)
            if node is not None and node.isis is None:
                what = f"link {item.value.name} runs IS-IS, and {endpoint.node} doesn't"
                mend = f"give {endpoint.node} `isis: {{instance: core, net: 49.0000.0000.0001.00}}`"
                yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def isis_on_a_bridge(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        if item.value.isis is not None and len(item.value.endpoints) > 2:
            what = (
                f"link {item.value.name} has {len(item.value.endpoints)} ends, and IS-IS runs on links of two"
            )
            mend = "take `isis` away, or connect each two of the nodes by a link of their own"
            yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def vrf_unknown(view: Facts, locate: Locate) -> Iterator[Problem]:
    for nics in view.nics.values():
        for nic in nics:
            node, vrf = view.nodes.get(nic.endpoint.node), nic.endpoint.vrf
            if vrf is not None and node is not None and vrf not in node.vrfs:
                mend = did_you_mean(
                    vrf, frozenset(node.vrfs), f"name it under nodes.{nic.endpoint.node}.vrfs"
                )
                yield Problem(locate((*nic.path, "vrf")), f"{nic.endpoint.node} has no VRF {vrf}", mend)


@check
def vrf_needs(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What a VPN stands on: BGP to tell of it, a locator for its SID, a loopback to encapsulate from."""
    for name, node in _routers(view):
        for vrf, found in node.vpns.items():
            path = ("nodes", name, "vrfs", vrf)
            for key, why in (("bgp", "to tell of it"), ("loopback", "to encapsulate from")):
                if getattr(node, key) is None:
                    what = f"the VPN {vrf} needs `{key}` on {name} {why}"
                    yield Problem(locate(path, key=True), what, f"give {name} `{key}`")
            if node.locator is None or found.sid not in node.locator:
                what = f"{found.sid} isn't in the locator of {name}"
                yield Problem(locate((*path, "sid")), what, f"take a SID in {node.locator or 'a locator'}")


@check
def unknown_neighbor(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, _, path, one, _vrf in _neighbors(view):
        where = locate((*path, "node"))
        if words := no_node(view, one.node):
            yield Problem(where, *words)
        elif one.node in view.nodes and view.nodes[one.node].bgp is None:
            yield Problem(where, f"{one.node} has no BGP, so {name} has no session with it", "give it `bgp`")


@check
def neighbor_out_of_reach(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Inside an AS a session leads from loopback to loopback, between two over a link."""
    for name, node, path, one, vrf in _neighbors(view):
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
    sessions = {(name, one.node) for name, _, _, one, _ in _neighbors(view)}
    unclear = {name for name, other in sessions if not view.knows(other)}
    for name, _, path, one, _vrf in _neighbors(view):
        there = view.nodes.get(one.node)
        if one.node in unclear or there is None or there.bgp is None:
            continue
        if (one.node, name) not in sessions:
            what = f"{one.node} has no session with {name}"
            yield Problem(locate((*path, "node")), what, f"name {name} among the neighbors of {one.node}")


@check
def next_hop_is_unknown(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A border hands VPN routes on with the next hop of the other AS, to which the core has no route."""
    for name, node, path, one, vrf in _neighbors(view):
        there = view.nodes.get(one.node)
        if vrf or node.bgp is None or there is None or there.bgp is None or "vpnv4" not in one.families:
            continue
        inside = there.bgp.as_number == node.bgp.as_number
        if inside and not one.next_hop_self and _hears_from_outside(view, node):
            what = f"{name} hands VPN routes of another AS on to {one.node}, which has no route to their next hop"
            yield Problem(locate((*path, "node")), what, "add `next_hop_self: true`")


def _hears_from_outside(view: Facts, node: Node) -> bool:
    others = (
        view.nodes.get(one.node)
        for one in (node.bgp.neighbors if node.bgp else ())
        if "vpnv4" in one.families
    )
    return any(one and one.bgp and node.bgp and one.bgp.as_number != node.bgp.as_number for one in others)


@check
def withdrawn_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        if not isinstance(item.value, WithdrawAction):
            continue
        node = item.value.withdraw.node
        found = view.nodes.get(node)
        if found is not None and (found.locator is None or found.isis is None):
            what = f"{node} announces no locator, so there is none to withdraw"
            where = locate((*item.path, "withdraw", "node"))
            yield Problem(where, what, "name a node with `locator` and `isis`")
