"""The routes that IS-IS brings to nodes, as FRR makes them of what all tell.

Level 1 leads inside an area, and goes before level 2. FRR tells of the prefixes of a node's links, and of what it
redistributes, in all of its levels, and hands nothing on from level 1 to level 2. A router without neighbors of level 2
sends everything else to the nearest one of its area that has some (the attached bit of ISO 10589 section 7.2.9.2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache, cached_property, partial
from ipaddress import ip_network

from srv6lab.plan.converged.rib import OWN_SIDS, Rib, RibRoute
from srv6lab.plan.converged.spf import Reached, Spf, Ways, rib_route
from srv6lab.plan.frr.isis import IsisNic, PlannedIsis
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.topology.scalars import Network

LOOPBACK_METRIC = 10  # FRR's own
EVERYTHING: Mapping[int, Network] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}


class IsisRoutes:
    """What IS-IS brings once it has converged: each level, area and IP version has shortest paths of its own. The nodes
    in `withdrawn` have lost their locator."""

    def __init__(self, plan: Plan, withdrawn: Collection[str] = ()) -> None:
        self._plan, self._withdrawn = plan, withdrawn
        self._trees: dict[tuple[int, str, int], Spf] = {}
        self._isis = {node.name: found for node in plan.nodes if (found := isis_of(node))}
        self._of_nodes = {node.name: node for node in plan.nodes}
        self._told, self._inside = cache(self._told_of), cache(self._inside_of)
        self._handed_on = HandedOn(self._isis)

    def routes(self, node: PlannedNode, ribs: Mapping[str, Rib]) -> Iterator[RibRoute]:
        """What a node has of the others, which hand on what is in their routing tables `ribs`."""
        isis = self._isis.get(node.name)
        for version in isis.versions if isis else ():
            found: dict[Network, RibRoute] = {}
            for level in isis.levels if isis else ():
                for route in self._of_level(node, level, version, ribs):
                    found.setdefault(route.prefix, route)
            own = {prefix for prefix, _ in self._told(node.name, version)}
            yield from self._own_sids(node, version)
            yield from (route for prefix, route in found.items() if prefix not in own)

    def _own_sids(self, node: PlannedNode, version: int) -> Iterator[RibRoute]:
        """The SIDs that IS-IS binds, which who redistributes it tells of: End is the locator's first address, and those of
        End.X are counted from there."""
        locator = node.routing.isis_locator if node.routing else None
        if version == 6 and locator and not locator.usid and node.name not in self._withdrawn:
            behind = 128 - locator.prefix.prefixlen - locator.structure.function
            for number in range(1 + sum(len(told.neighbors) for _, told in isis_nics(node))):
                sid = locator.prefix.network_address + (number << behind)
                yield RibRoute(ip_network(sid), "isis", ((None, OWN_SIDS),))

    def _of_level(
        self, node: PlannedNode, level: int, version: int, ribs: Mapping[str, Rib]
    ) -> Iterator[RibRoute]:
        tree = self._tree(level, self._isis[node.name].area, version)
        inside, routes = self._inside(node.name, level, version)
        outside = tree.reached(node.name, partial(self._handed_on, version=version, ribs=ribs))
        for prefix in dict.fromkeys((*inside, *outside)):
            if prefix in outside:
                yield rib_route(prefix, "isis", *_chosen(prefix, inside, outside))
            else:
                yield routes[prefix]
        if level == 1 and node.name not in self._attached:
            attached = tree.reached(node.name, partial(self._default, version=version))
            yield from (rib_route(prefix, "isis", *found) for prefix, found in attached.items())

    def _inside_of(
        self, name: str, level: int, version: int
    ) -> tuple[Reached[Network], dict[Network, RibRoute]]:
        """What a node reaches that others tell of as their own, and the routes there: whatever else is handed on, they
        stay the same."""
        tree = self._tree(level, self._isis[name].area, version)
        inside = tree.reached(name, lambda node: self._told(node.name, version))
        return inside, {prefix: rib_route(prefix, "isis", *found) for prefix, found in inside.items()}

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

    def _told_of(self, name: str, version: int) -> tuple[tuple[Network, int], ...]:
        """The prefixes that a node tells of as its own, each with what it costs from there."""
        return tuple(self._own_prefixes(self._of_nodes[name], version))

    def _own_prefixes(self, node: PlannedNode, version: int) -> Iterator[tuple[Network, int]]:
        isis = self._isis.get(node.name)
        if isis is None or version not in isis.versions:
            return
        yield from ((one.network, LOOPBACK_METRIC) for one in node.loopbacks if one.version == version)
        locator = node.routing.isis_locator if node.routing else None
        if version == 6 and locator and node.name not in self._withdrawn:
            yield locator.prefix, 0
        for nic, told in isis_nics(node):
            yield from ((one, told.metric) for one in nic.networks() if _is_of(one, version))


def _chosen(prefix: Network, inside: Reached[Network], outside: Reached[Network]) -> tuple[int, Ways]:
    """Of what its routers tell of themselves, and what others hand on, what costs less: both, where that is the same."""
    known = [kind[prefix] for kind in (inside, outside) if prefix in kind]
    least = min(cost for cost, _ in known)
    return least, frozenset(way for cost, ways in known if cost == least for way in ways)


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
            if told.neighbors and level in told.levels and version in told.versions:
                yield nic, told.metric


class HandedOn:
    """What nodes redistribute into IS-IS, which costs nothing from there; a default route never is. All nodes ask for it
    with the same routing tables, so it is kept as long as they are the same."""

    def __init__(self, isis: Mapping[str, PlannedIsis]) -> None:
        self._isis = isis
        self._ribs: Mapping[str, Rib] = {}
        self._kept: dict[tuple[str, int], tuple[tuple[Network, int], ...]] = {}

    def __call__(
        self, node: PlannedNode, version: int, ribs: Mapping[str, Rib]
    ) -> tuple[tuple[Network, int], ...]:
        isis = self._isis.get(node.name)
        if isis is None or not isis.redistribute or version not in isis.versions or node.name not in ribs:
            return ()
        if ribs is not self._ribs:
            self._ribs, self._kept = ribs, {}
        if (node.name, version) not in self._kept:
            routes = ribs[node.name].of(isis.redistribute)
            prefixes = (one.prefix for one in routes if _is_of(one.prefix, version) and one.prefix.prefixlen)
            self._kept[node.name, version] = tuple((one, 0) for one in prefixes)
        return self._kept[node.name, version]


def _is_of(network: Network, version: int) -> bool:
    return network.version == version and not network.is_link_local
