"""The routes that IS-IS brings to nodes, as FRR makes them of what all tell.

Level 1 leads inside an area, and goes before level 2. FRR tells of the prefixes of a node's links, and of what it
redistributes, in all of its levels, and hands nothing on from level 1 to level 2. A router without neighbors of level 2
sends everything else to the nearest one of its area that has some (the attached bit of ISO 10589 section 7.2.9.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property, partial
from ipaddress import ip_network
from typing import Protocol

from srv6lab.plan.converged.spf import Spf, learned
from srv6lab.plan.converged.values import Learned
from srv6lab.plan.frr.isis import IsisNic, PlannedIsis
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedRoute
from srv6lab.topology.scalars import Network

LOOPBACK_METRIC = 10  # FRR's, which nobody sets
EVERYTHING: dict[int, Network] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


class Tells(Protocol):
    def __call__(self, node: PlannedNode) -> Iterable[tuple[Network, int]]: ...


class IsisRoutes:
    """What IS-IS has brought once it has converged. Each level, area and IP version has shortest paths of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._trees: dict[tuple[int, str, int], Spf] = {}
        self._isis = {node.name: found for node in plan.nodes if (found := isis_of(node))}

    def routes(self, node: PlannedNode) -> Iterator[Learned]:
        """The prefixes that a node has routes of, by all ways of least cost, where nothing else goes before IS-IS."""
        isis = self._isis.get(node.name)
        if isis is None:
            return
        before = {*_connected(node), *(route.prefix for route in _static(node)), node.locator}
        done = set[Network]()
        for version in isis.versions:
            for level in isis.levels:
                for prefix, ways in self._of_level(node, isis, level, version):
                    if prefix not in before | done:
                        done.add(prefix)
                        yield learned(prefix, ways)

    def ways(self, source: str, to: str) -> tuple[tuple[Nic, Nic], ...]:
        """The first links to another node, for IPv6: by level 1, else by level 2."""
        isis = self._isis.get(source)
        found = (self._tree(level, isis.area, 6).ways(source, to) for level in isis.levels) if isis else ()
        return next((ways for ways in found if ways), ())

    def _of_level(
        self, node: PlannedNode, isis: PlannedIsis, level: int, version: int
    ) -> Iterator[tuple[Network, frozenset[tuple[Nic, Nic]]]]:
        tree = self._tree(level, isis.area, version)
        inside = tree.reached(node.name, partial(announced_by_isis, version=version))
        outside = tree.reached(node.name, partial(_redistributed, version=version))
        for prefix in dict.fromkeys((*inside, *outside)):
            kinds = [kind[prefix] for kind in (inside, outside) if prefix in kind]
            # FRR has a route for each of the two in IPv6, and the one that costs more comes later and stays.
            cost = (max if version == 6 else min)(cost for cost, _ in kinds)
            of_cost = [ways for one, ways in kinds if one == cost]
            yield prefix, of_cost[-1] if version == 6 else frozenset().union(*of_cost)
        if level == 1 and node.name not in self._attached:
            for prefix, (_, ways) in tree.reached(node.name, partial(self._default, version=version)).items():
                yield prefix, ways

    def _tree(self, level: int, area: str, version: int) -> Spf:
        key = level, area if level == 1 else "", version
        if key not in self._trees:
            overloaded = {name for name, isis in self._isis.items() if isis.overload}
            self._trees[key] = Spf(self._plan, partial(_nics_of, *key), overloaded)
        return self._trees[key]

    @cached_property
    def _attached(self) -> frozenset[str]:
        """The nodes of both levels that have a neighbor of level 2."""
        tree = self._tree(2, "", 6)
        both = (name for name, isis in self._isis.items() if isis.levels == (1, 2))
        return frozenset(name for name in both if len(tree.far(name)) > 1)

    def _default(self, node: PlannedNode, version: int) -> Iterator[tuple[Network, int]]:
        if node.name in self._attached and version in self._isis[node.name].versions:
            yield EVERYTHING[version], 0


def isis_of(node: PlannedNode) -> PlannedIsis | None:
    return node.routing.isis if node.routing else None


def isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, IsisNic]]:
    """The NICs that IS-IS knows of."""
    if isis := isis_of(node):
        told = {nic.nic: nic for nic in isis.nics}
        yield from ((nic, told[nic.name]) for nic in node.nics if nic.name in told)


def _nics_of(level: int, area: str, version: int, node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    """The NICs with adjacencies of a level, in one area or, without one, in any."""
    isis = isis_of(node)
    if isis and (not area or isis.area == area):
        for nic, told in isis_nics(node):
            if not told.passive and level in told.levels and version in told.versions:
                yield nic, told.metric


def announced_by_isis(node: PlannedNode, version: int) -> Iterator[tuple[Network, int]]:
    """The prefixes that a node tells of as its own in IS-IS, each with what it costs from there."""
    yield from ((one.network, LOOPBACK_METRIC) for one in node.loopbacks if one.version == version)
    if version == 6 and node.routing and node.routing.locator:
        yield node.routing.locator, 0
    for nic, told in isis_nics(node):
        if version in told.versions:
            yield from ((network, told.metric) for network in _told(nic, version))


def _told(nic: Nic, version: int) -> Iterator[Network]:
    return (one for one in nic.networks() if one.version == version and not one.is_link_local)


def _redistributed(node: PlannedNode, version: int) -> Iterator[tuple[Network, int]]:
    """What a node hands on into IS-IS of its links and its static routes; each costs nothing there."""
    isis = isis_of(node)
    sources = isis.redistribute if isis and version in isis.versions else ()
    prefixes: list[Network] = []
    if "connected" in sources:
        prefixes += _connected(node)
    if "static" in sources:
        prefixes += (one.prefix for one in _static(node) if one.prefix.prefixlen)
        prefixes += (one for one in (node.locator,) if one)
    yield from ((one, 0) for one in prefixes if one.version == version)


def _connected(node: PlannedNode) -> Iterator[Network]:
    """The prefixes of its links and loopbacks, and those towards its services, outside of VRFs."""
    ports = (port.outside for service in node.services if service.netns for port in service.ports)
    apart = {nic for vrf in node.vrfs for nic in vrf.nics}
    nics = (nic for nic in (*node.nics, *ports) if not nic.vrf and nic.name not in apart)
    every = (*(one for nic in nics for one in nic.networks()), *(one.network for one in node.loopbacks))
    return (one for one in every if not one.is_link_local)


def _static(node: PlannedNode) -> Iterator[PlannedRoute]:
    return (route for route in node.routes if route.table is None and not route.vrf)
