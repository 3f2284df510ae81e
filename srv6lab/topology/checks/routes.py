"""Checks of static routes, and of the rules that lead to their tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Path
from srv6lab.topology.checks.network import next_hop, repeated, special
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of, warning
from srv6lab.topology.model import Node
from srv6lab.topology.route import Route
from srv6lab.topology.scalars import Address

# Priorities of the rules that Day0 lays: for frames; classes of SR policies, from 1 to 7; steering by source or NIC.
FRAMES, CLASSES, SELECTORS = 500, 1000, 10001
_OF_REFUSING = (("via", None), ("nic", None), ("weight", 1))  # what a route that refuses has none of


@check
def routes(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, route in view.every_route:
        if route.prefix.is_multicast or (route.prefix.version == 6 and route.prefix.is_link_local):
            what = f"{route.prefix} is for {special(route.prefix)}, which every link has"
            yield Problem(locate((*path, "prefix")), what, "take the route away")
        elif route.type:
            given = next((key for key, nothing in _OF_REFUSING if getattr(route, key) != nothing), None)
            if given:
                what = f"a route that is `{route.type}` leads nowhere, so it has no `{given}`"
                yield Problem(locate((*path, given), key=True), what, f"take `{given}` or `type` away")
        elif route.via is None and route.nic is None and not route.segments:
            mend = "add `via` (a neighbor), `nic` (all of the prefix is on its link), or `type: blackhole`"
            yield Problem(locate(path), f"nothing says where {route.prefix} is", mend)
        elif route.via is not None and route.via.version != route.prefix.version:
            what = f"{route.prefix} is IPv{route.prefix.version}, and the next hop {route.via} is not"
            yield Problem(locate((*path, "via")), what, f"give an IPv{route.prefix.version} next hop")
        elif route.via is not None and route.via.is_link_local and route.nic is None:
            what = f"{route.via} may be on any link of {name}"
            yield Problem(locate((*path, "via")), what, "add `nic`, which says on which")
        elif route.via is not None and (problem := _by_neighbor(view, name, route, route.via)):
            yield Problem(locate((*path, "via")), *problem)


def _by_neighbor(view: Facts, name: str, route: Route, via: Address) -> tuple[str, str] | None:
    """What is wrong with a route's next hop; nothing, if its VRF isn't there."""
    node = view.nodes[name]
    if route.vrf not in (None, *node.vrfs):
        return None
    return next_hop(view, name, via, node.place_of(route))


@check
def nic_of_a_route(view: Facts, locate: Locate) -> Iterator[Problem]:
    for path, name, route in view.every_route:
        if route.nic is None or not view.clear(name) or route.type:
            continue
        vrf = view.nodes[name].place_of(route)
        mine = (nic for nic in view.nics.get(name, ()) if (nic.endpoint.vrf or "") == vrf)
        nics = {nic.endpoint.nic: nic.link.prefixes for nic in mine}
        where = locate((*path, "nic"))
        if route.nic not in nics:
            mend = did_you_mean(route.nic, nics.keys(), f"connect {name} first")
            of = f" in the VRF {vrf}" if vrf else ""
            yield Problem(where, f"{name} has no NIC {route.nic}{of}", mend)
        elif (via := route.via) and not via.is_link_local and not any(via in one for one in nics[route.nic]):
            mend = f"its link has {' and '.join(map(str, nics[route.nic]))}; take `nic` away, since the next hop says it"
            yield Problem(where, f"{route.via} isn't on the link of {route.nic}", mend)


@check
def route_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        base: Path = ("nodes", name, "routes")
        pairs = (
            ((route.prefix, _table(node, route), route.metric, route.via, route.nic), (*base, index))
            for index, route in enumerate(node.routes)
        )
        for (prefix, table, _, via, nic), first, path in repeated(pairs):
            of = f" in table {table}" if table else ""
            over = f" via {via}" if via else f" on {nic}" if nic else ""
            what = f"{name} already has a route for {prefix}{over}{of} ({line_of(locate, first)})"
            mend = "keep one of the two; routes of one prefix via different neighbors share its flows"
            yield Problem(locate((*path, "prefix")), what, mend)


@check
def route_in_the_place_of_a_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Linux has one IPv4 route of a prefix and a metric, and that of a link's own prefix has none, too."""
    alone = Counter(prefix for item in view.links for prefix in item.value.prefixes)
    for path, name, route in view.every_route:
        others = route.prefix.version == 6 or route.metric or view.nodes[name].runs_frr
        if others or route.table or route.vrf:
            continue
        for nic in view.nics.get(name, ()):
            if route.prefix in nic.link.prefixes and nic.endpoint.vrf is None and alone[route.prefix] == 1:
                what = f"{route.prefix} is the prefix of the link at {name}:{nic.endpoint.nic}, and takes that link's place"
                yield Problem(locate((*path, "prefix")), what, "take it away, or give it a `metric`")


@check
def routes_that_share_nothing(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Linux has one route for a prefix, a table and a metric: with several neighbors, or with one thing else."""
    for name, node in view.nodes.items():
        groups: dict[object, list[tuple[int, Route]]] = {}
        for index, route in enumerate(node.routes):
            groups.setdefault((route.prefix, _table(node, route), route.metric), []).append((index, route))
        for several in (one for one in groups.values() if len(one) > 1):
            for index, route in several:
                alone = route.type or (
                    route.prefix.version == 6 and route.via is None and f"on all of {route.nic}"
                )
                if alone and len({(one.via, one.nic, one.type) for _, one in several}) > 1:
                    what = f"the route for {route.prefix} that is {alone} can't share its flows with another"
                    mend = "give it a `metric` of its own: the least comes first"
                    yield Problem(locate(("nodes", name, "routes", index, "prefix")), what, mend)


@check
def rules(view: Facts, locate: Locate) -> Iterator[Problem]:
    for name, node in view.nodes.items():
        base: Path = ("nodes", name, "rules")
        known = {nic.endpoint.nic for nic in view.nics.get(name, ())}
        for index, rule in enumerate(node.rules):
            path = (*base, index)
            if rule.source and rule.to and rule.source.version != rule.to.version:
                what = f"{rule.source} and {rule.to} are of two families, so nothing matches both"
                yield Problem(locate((*path, "to")), what, f"give an IPv{rule.source.version} prefix")
            if rule.iif and rule.iif != "lo" and view.clear(name) and rule.iif not in known:
                mend = did_you_mean(rule.iif, known, f"connect {name} first")
                yield Problem(locate((*path, "iif")), f"{name} has no NIC {rule.iif}", mend)
            steered = {one.value.match.table for one in view.policies if one.value.headend == name}
            if rule.table not in steered | {route.table for route in node.routes}:
                what = f"table {rule.table} of {name} has no route, so the rule leads nowhere"
                mend = f"add `table: {rule.table}` to some of nodes.{name}.routes, or to what it steers"
                yield warning(locate((*path, "table")), what, mend)
        pairs = (
            ((rule.priority, version), (*base, index))
            for index, rule in enumerate(node.rules)
            for version in rule.versions
        )
        for (priority, _), first, path in {
            path: (key, first, path) for key, first, path in repeated(pairs)
        }.values():
            what = f"{name} already has a rule with the priority {priority} ({line_of(locate, first)})"
            yield Problem(locate((*path, "priority")), what, "give each rule one of its own")


@check
def rule_of_day0(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Day0 lays rules of its own, and takes away what has their priority."""
    for name, node in view.nodes.items():
        taken = dict(_taken(view, name, node))
        for index, rule in enumerate(node.rules):
            if whose := taken.get(rule.priority):
                what = f"the priority {rule.priority} of {name} is that of {whose}"
                where = locate(("nodes", name, "rules", index, "priority"))
                yield Problem(where, what, "take another number")


def _taken(view: Facts, name: str, node: Node) -> Iterator[tuple[int, str]]:
    """The priorities of the rules that Day0 lays by itself, and what they are for."""
    mine = [one.value for one in view.policies if one.value.headend == name]
    if any(one.of_frames for one in mine):
        yield FRAMES, "the rule for whole frames"
    if node.headend:
        yield from ((CLASSES + one, "a class of SR policies") for one in range(1, 8))
    chosen = {
        (match.prefixes[0].version, match.source, match.nic)
        for one in mine
        if not one.of_frames and ((match := one.match).source or match.nic)
    }
    yield from ((SELECTORS + one, "steering by source or NIC") for one in range(len(chosen)))


def _table(node: Node, route: Route) -> int | str | None:
    return route.table or node.vrf_tables.get(route.vrf or "") or route.vrf
