"""Checks of IS-IS: what one needs of another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

from srv6lab.errors import Problem
from srv6lab.topology.actions.withdraw import WithdrawAction
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.network import repeated
from srv6lab.topology.checks.registry import Locate, check, line_of, warning
from srv6lab.topology.checks.routers import routers
from srv6lab.topology.model import Link
from srv6lab.topology.routing.isis import Isis, IsisLink, adjacency, levels_of
from srv6lab.topology.scalars import Address


@check
def net_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """The system id is the three groups before the selector (ISO 10589 section 7.1)."""
    pairs = ((node.isis.system, ("nodes", name)) for name, node in routers(view) if node.isis)
    for system, first, path in repeated(pairs):
        what = f"{first[1]} already has the system id {system} ({line_of(locate, (*first, 'isis', 'net'))})"
        yield Problem(locate((*path, "isis", "net")), what, "give each router one of its own")


@check
def isis_link_without_isis(view: Facts, locate: Locate) -> Iterator[Problem]:
    """A link of two ends needs IS-IS at both, a LAN at two, a passive one at one."""
    for item in view.links:
        link = item.value
        if link.isis is None:
            continue
        nodes = {one.node: view.nodes[one.node] for one in link.endpoints if one.node in view.nodes}
        lacking = [name for name, node in nodes.items() if node.isis is None]
        if len(link.endpoints) - len(lacking) >= (1 if link.isis.passive else 2):
            continue
        for name in lacking:
            what = f"link {link.name} runs IS-IS, and {name} doesn't"
            mend = f"give {name} `isis: {{instance: core, net: 49.0000.0000.0001.00}}`"
            if not link.isis.passive:
                mend += ", or make the link `passive: true`"
            yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def isis_on_a_bridge(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        isis, ends = item.value.isis, len(item.value.endpoints)
        if isis is not None and isis.network == "point-to-point" and ends > 2:
            what = f"link {item.value.name} has {ends} ends, and point-to-point is for two"
            yield Problem(locate((*item.path, "isis", "network")), what, "write `network: broadcast`")


@check
def isis_in_a_vrf(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        for index, end in enumerate(item.value.endpoints if item.value.isis else ()):
            if end.vrf is not None:
                what = f"{end.at} is in the VRF {end.vrf}, and IS-IS runs outside of VRFs here"
                mend = "take `isis` off the link; customers' routers may speak BGP"
                yield Problem(locate((*item.path, "endpoints", index, "vrf")), what, mend)


@check
def isis_by_end(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What is said end by end is said for all of them."""
    for item in view.links:
        if item.value.isis is None:
            continue
        ends = len(item.value.endpoints)
        for key, many in (
            ("metric", len(item.value.isis.metrics)),
            ("authentication", len(item.value.isis.passwords)),
        ):
            if many not in (0, 1, ends):
                what = f"link {item.value.name} has {ends} ends, and `{key}` says {many}"
                yield Problem(
                    locate((*item.path, "isis", key)), what, "say one for all ends, or one for each"
                )


@check
def isis_mtus(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR fills its hellos up to the MTU (ISO 10589 section 8.2.3), so the smaller end never hears the larger one."""
    for item in view.links:
        link = item.value
        ends = [one for one in link.endpoints if (node := view.nodes.get(one.node)) and node.isis]
        mtus = {one.node: one.mtu or link.mtu for one in ends} if _adjacent(link) else {}
        if len({*mtus.values()}) > 1:
            said = " and ".join(f"{mtu} at {name}" for name, mtu in mtus.items())
            what = f"link {link.name} has the MTU {said}: hellos of IS-IS are that long, and don't all arrive"
            yield Problem(locate((*item.path, "isis"), key=True), what, "give all ends the same `mtu`")


@check
def isis_neighbors_alike(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR binds one End.X for two neighbors with the same link-local address."""
    for name, node in routers(view):
        told = [nic for nic in view.nics.get(name, ()) if _adjacent(nic.link)] if node.locator else []
        pairs = ((address, nic.path) for nic in told for address in _link_local(nic.link, name))
        for address, first, path in repeated(pairs):
            other = f"({line_of(locate, first)})"
            what = f"{name} has another neighbor with the address {address} {other}, and FRR binds one End.X for both"
            mend = 'write addresses that differ, as in `endpoints: ["r1:eth1", {at: "r2:eth1", address: "fe80::12"}]`'
            yield Problem(locate(path), what, mend)


def _adjacent(link: Link) -> bool:
    return link.isis is not None and not link.isis.passive


def _link_local(link: Link, name: str) -> Iterator[Address]:
    """The link-local addresses of the other ends that the file gives them."""
    for end, one in enumerate(link.endpoints):
        if one.node != name:
            yield from (each.ip for each in link.interfaces(end) if each.is_link_local)


@check
def isis_without_adjacency(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Levels and areas permit each router of a link to find another there."""
    for item, isis, speakers in _speakers(view):
        for name, one in speakers.items():
            others = {other: it for other, it in speakers.items() if other != name}
            if others and not any(adjacency(isis, one, other) for other in others.values()):
                other, there = next(iter(others.items()))
                what = (
                    f"{name} and {other} have no adjacency on link {item.value.name}: {name} has {_place(isis, one)} there, "
                    f"and {other} {_place(isis, there)}"
                )
                mend = "give them a level in common; level 1 is inside an area only"
                yield Problem(locate((*item.path, "isis"), key=True), what, mend)
                break


def _place(isis: IsisLink, node: Isis) -> str:
    found = sorted(levels_of(node, isis))
    said = " and ".join(map(str, found))
    return f"level {said} of area {node.area}" if found else f"no level {isis.level}"


def _speakers(view: Facts) -> Iterator[tuple[Item[Link], IsisLink, dict[str, Isis]]]:
    """The links with adjacencies, and the IS-IS of each node there."""
    for item in view.links:
        isis = item.value.isis
        if isis is not None and not isis.passive:
            ends = ((one.node, view.nodes.get(one.node)) for one in item.value.endpoints)
            yield item, isis, {name: node.isis for name, node in ends if node and node.isis}


@check
def isis_secret_of_a_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.links:
        isis = item.value.isis
        if isis is not None and len(set(isis.passwords)) > 1 and not isis.passive:
            what = f"the ends of link {item.value.name} don't have the same authentication, so no adjacency comes up"
            yield Problem(
                locate((*item.path, "isis", "authentication")), what, "give all ends the same secret and type"
            )


@check
def isis_secret_of_an_area(view: Facts, locate: Locate) -> Iterator[Problem]:
    """What a node floods is thrown away by a neighbor that expects another secret."""
    for _, isis, speakers in _speakers(view):
        for name, other in combinations(speakers, 2):
            common = adjacency(isis, speakers[name], speakers[other])
            for level, key in ((1, "area"), (2, "domain")):
                own, theirs = (getattr(speakers[one].authentication, key) for one in (name, other))
                if level in common and own != theirs:
                    what = (
                        f"{other} and {name} don't have the same {key} authentication, "
                        "so neither takes what the other floods"
                    )
                    mend = f"give both the same `authentication: {{{key}: {{secret: …}}}}`"
                    yield Problem(locate(("nodes", other, "isis"), key=True), what, mend)


@check
def isis_in_one_topology(view: Facts, locate: Locate) -> Iterator[Problem]:
    """IS-IS finds the shortest paths once for both IP versions (RFC 1195 section 1.3.2), and sends IPv4 over a link that has none."""
    spoken: dict[str, set[int]] = {}
    for item, _, speakers in _speakers(view):
        for name in speakers:
            spoken.setdefault(name, set()).update(item.value.versions)
    for item, _, speakers in _speakers(view):
        carried = (
            frozenset.intersection(*(frozenset(spoken[name]) for name in speakers))
            if len(speakers) > 1
            else frozenset()
        )
        for version in sorted(carried - item.value.versions):
            what = f"link {item.value.name} has no IPv{version}, which IS-IS would send over it: its routers have IPv{version} on others"
            mend = f"give it an IPv{version} prefix too, or take IPv{version} away from the others"
            yield Problem(locate((*item.path, "isis"), key=True), what, mend)


@check
def isis_beside_a_dearer_link(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR looks for the adjacency of a link among those with the same neighbor, and takes the oldest."""
    first: dict[tuple[str, str, int], tuple[str, int]] = {}
    for item, isis, speakers in _speakers(view):
        metrics = {one.node: isis.metric(end) for end, one in enumerate(item.value.endpoints)}
        for name, other in permutations(speakers, 2):
            for level in adjacency(isis, speakers[name], speakers[other]):
                link, metric = first.setdefault((name, other, level), (item.value.name, metrics[name]))
                if metric != metrics[name]:
                    what = (
                        f"links {link} and {item.value.name} of {name} lead to {other} with other metrics: "
                        "once the cheaper one has been down, FRR takes the dearer"
                    )
                    mend = "give both the same metric, or a `level` each"
                    yield warning(locate((*item.path, "isis"), key=True), what, mend)


@check
def level_1_is_not_told_to_level_2(view: Facts, locate: Locate) -> Iterator[Problem]:
    """FRR passes nothing on from level 1 to level 2."""
    nodes = {name: node.isis for name, node in routers(view) if node.isis}
    beyond = (
        any(isis.level == 2 for isis in nodes.values()) or len({isis.area for isis in nodes.values()}) > 1
    )
    for name, isis in nodes.items():
        border = next(
            (other for other, it in nodes.items() if it.level == "1-2" and it.area == isis.area), None
        )
        if isis.level == 1 and border and beyond and not _handed_on(view, isis.area):
            what = f"only its own area has routes to {name}: FRR hands nothing on from level 1 to level 2"
            mend = f"give {border} `routes` to its prefixes and `redistribute: [static]`, or make {name} level 1-2"
            yield warning(locate(("nodes", name, "isis", "level")), what, mend)


def _handed_on(view: Facts, area: str) -> bool:
    return any(
        node.isis
        and node.isis.level == "1-2"
        and node.isis.area == area
        and "static" in node.isis.redistribute
        for _, node in routers(view)
    )


def neighbors_of(view: Facts, name: str) -> int:
    """With how many nodes it has adjacencies, on each of its links: that is how many End.X SIDs FRR binds."""
    return sum(
        other != name and bool(adjacency(isis, speakers[name], there))
        for _, isis, speakers in _speakers(view)
        if name in speakers
        for other, there in speakers.items()
    )


@check
def withdrawn_locator(view: Facts, locate: Locate) -> Iterator[Problem]:
    for item in view.actions:
        if not isinstance(item.value, WithdrawAction):
            continue
        node = item.value.withdraw.node
        found = view.nodes.get(node)
        if found is not None and (found.locator is None or not (found.isis or found.vpns)):
            what = f"{node} announces no locator, so there is none to withdraw"
            where = locate((*item.path, "withdraw", "node"))
            yield Problem(where, what, "name a node with `locator`, and `isis` or a VPN")
