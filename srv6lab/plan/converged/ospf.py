"""The prefixes that OSPF brings to a node: those of its areas, those of others over area border routers, and what routers
announce from outside of OSPF (RFC 2328 section 16; RFC 5340 section 4.8)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cache, partial
from ipaddress import IPv4Address, ip_network
from typing import TypeVar

from srv6lab.plan.converged.rib import Rib, RibRoute
from srv6lab.plan.converged.spf import Reached, Spf, rib_route
from srv6lab.plan.frr.ospf import OspfNic, PlannedOspf
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.topology.routing.ospf import BACKBONE
from srv6lab.topology.scalars import Network

T = TypeVar("T", bound=Hashable)
_Key = Network | str  # a prefix, or the router itself, by which externals are found


class OspfPaths:
    """All that OSPF of one version leads to, found out when it is asked for."""

    def __init__(self, plan: Plan, version: int) -> None:
        self.version = version
        self._nodes = {node.name: node for node in plan.nodes}
        self._areas = {node.name: _areas_of(ospf) for node in plan.nodes if (ospf := self.of(node))}
        every = {area for areas in self._areas.values() for area in areas}
        self._spf = {area: Spf(plan, partial(self._adjacencies, area)) for area in every}
        self._inside, self._reached = cache(self._inside_of), cache(self._reached_of)
        self._announced, self._summarized = cache(self._announced_of), cache(self._summarized_of)

    def of(self, node: PlannedNode) -> PlannedOspf | None:
        every = node.routing.ospf if node.routing else ()
        return next((one for one in every if one.version == self.version), None)

    def routes(self, node: PlannedNode, ribs: Mapping[str, Rib]) -> Iterator[RibRoute]:
        """Routes inside of OSPF, which go before those to what is outside (RFC 2328 section 11): what routers hand on of
        other protocols by their routing tables `ribs`."""
        if self.of(node) is None:
            return
        protocol = "ospf" if self.version == 2 else "ospf6"
        reached = self._reached(node.name)
        known = {*self._externals(node, ribs), *reached}
        outside: Reached[Network] = {}
        for key, (cost, ways) in reached.items():
            if not isinstance(key, str):
                yield rib_route(key, protocol, cost, ways)
            else:
                for prefix in self._externals(self._nodes[key], ribs):
                    if prefix not in known:
                        _nearer(outside, prefix, cost, ways)
        for prefix, (cost, ways) in outside.items():
            yield rib_route(prefix, protocol, cost, ways)

    def _reached_of(self, name: str) -> Reached[_Key]:
        """What a router has not of its own: in its areas, else over the border routers of them."""
        inside = self._inside(name)
        own = {key for area in self._areas[name] for key, _ in self._announced(area, name)}
        found: Reached[_Key] = {}
        for area in (BACKBONE,) if self._is_border(name) else self._areas[name]:
            told = partial(self._summaries_by, area)
            for key, (cost, ways) in self._spf[area].reached(name, told).items():
                if key not in inside and key not in own:
                    _nearer(found, key, cost, ways)
        return inside | found

    def _inside_of(self, name: str) -> Reached[_Key]:
        """What a router reaches in its own areas."""
        found: Reached[_Key] = {}
        for area in self._areas[name]:
            own = {key for key, _ in self._announced(area, name)}
            for key, (cost, ways) in self._in_area(area, name).items():
                if key not in own:
                    _nearer(found, key, cost, ways)
        return found

    def _in_area(self, area: IPv4Address, name: str) -> Reached[_Key]:
        return self._spf[area].reached(name, lambda node: self._announced(area, node.name))

    def _summaries_by(self, into: IPv4Address, border: PlannedNode) -> tuple[tuple[_Key, int], ...]:
        return self._summarized(into, border.name)

    def _summarized_of(self, into: IPv4Address, name: str) -> tuple[tuple[_Key, int], ...]:
        """What a border router tells an area of the others: into the backbone only what is in its areas."""
        return tuple(self._of_other_areas(into, name))

    def _of_other_areas(self, into: IPv4Address, name: str) -> Iterator[tuple[_Key, int]]:
        if not self._is_border(name):
            return
        here = {key for key, _ in self._announced(into, name)}
        here |= {*self._in_area(into, name)}
        for area in self._areas[name] - {into}:
            yield from ((key, cost) for key, cost in self._announced(area, name) if key not in here)
        reached = self._inside(name) if into == BACKBONE else self._reached(name)
        yield from ((key, cost) for key, (cost, _) in reached.items() if key not in here)

    def _is_border(self, name: str) -> bool:
        areas = self._areas.get(name, frozenset())
        return BACKBONE in areas and len(areas) > 1

    def _adjacencies(self, area: IPv4Address, node: PlannedNode) -> Iterator[tuple[Nic, int]]:
        yield from ((nic, one.cost) for nic, one in self._nics(area, node) if not one.passive)

    def _nics(self, area: IPv4Address, node: PlannedNode) -> Iterator[tuple[Nic, OspfNic]]:
        ospf = self.of(node)
        of_area = {one.nic: one for one in (ospf.nics if ospf else ()) if one.area == area}
        yield from ((nic, of_area[nic.name]) for nic in node.nics if nic.name in of_area)

    def _announced_of(self, area: IPv4Address, name: str) -> tuple[tuple[_Key, int], ...]:
        """What a router tells of in an area, with what it costs from there. On point-to-point links OSPFv3 of FRR tells
        of its own address, too."""
        return tuple(self._of_area(area, self._nodes[name]))

    def _of_area(self, area: IPv4Address, node: PlannedNode) -> Iterator[tuple[_Key, int]]:
        ospf = self.of(node)
        if ospf is None or area not in self._areas[node.name]:
            return
        yield node.name, 0
        if ospf.area == area:
            yield from ((one.network, 0) for one in node.loopbacks if one.version == ospf.family)
        for nic, one in self._nics(area, node):
            for interface in nic.addresses:
                if interface.version == ospf.family and not interface.is_link_local:
                    yield interface.network, one.cost
                    if ospf.version == 3 and one.network == "point-to-point" and not one.passive:
                        yield ip_network(interface.ip), 0

    def _externals(self, node: PlannedNode, ribs: Mapping[str, Rib]) -> Iterator[Network]:
        """What a router announces from outside of OSPF; all of it has the same metric, of type 2, so the nearest router
        that announces a prefix counts."""
        ospf = self.of(node)
        if ospf is None or node.routing is None:
            return
        if ospf.family == 6:
            yield from (one.prefix for one in node.routing.locators)
        for route in ribs[node.name].of(ospf.redistribute) if node.name in ribs else ():
            if route.prefix.version == ospf.family and not route.prefix.is_link_local:
                yield route.prefix


def _areas_of(ospf: PlannedOspf) -> frozenset[IPv4Address]:
    return frozenset({ospf.area, *(nic.area for nic in ospf.nics)})


def _nearer(found: Reached[T], key: T, cost: int, ways: frozenset[tuple[Nic, Nic]]) -> None:
    """Keeps the least cost of a key, and all ways of that cost."""
    least, others = found.get(key, (cost, ways))
    if cost <= least:
        found[key] = cost, ways if cost < least else ways | others
