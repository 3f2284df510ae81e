"""The routing table of one router, as zebra keeps it: of one prefix the protocol with the least distance counts.

A next hop is looked up in it as zebra does (RFC 4271 section 5.1.3): the longest prefix, whatever protocol brought it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_interface
from itertools import zip_longest

from srv6lab.plan.nodes import PlannedNode, PlannedRoute
from srv6lab.topology.scalars import Address, Network

# What FRR prefers where several protocols have one prefix: the least.
DISTANCES = {
    "connected": 0,
    "kernel": 0,
    "static": 1,
    "bgp": 20,
    "ospf": 110,
    "ospf6": 110,
    "isis": 115,
    "ibgp": 200,
}
OWN_SIDS = "sr0"  # where Day0 has the SIDs that FRR binds for itself
OF_BGP = ("bgp", "ibgp")
Way = tuple[Address | None, str]  # over whom, and by which NIC; "" for nowhere


@dataclass(frozen=True, slots=True)
class RibRoute:
    """A route to a prefix by its ways; a blackhole has none. `protocol` is a key of DISTANCES, `metric` what that
    protocol says of the way. Where there are `sids`, what goes a way is sent to the one of it (None for none)."""

    prefix: Network
    protocol: str
    ways: tuple[Way, ...] = ()
    metric: int = 0
    sids: tuple[IPv6Address | None, ...] = ()

    @property
    def distance(self) -> int:
        return DISTANCES[self.protocol]

    @property
    def own_sid(self) -> bool:
        """Whether it is a SID of the router itself."""
        return any(nic == OWN_SIDS for _, nic in self.ways)

    def planned(self) -> tuple[PlannedRoute, ...]:
        """As routes of the plan, one for each way."""
        pairs = zip_longest(self.ways, self.sids)
        return tuple(_planned(self.prefix, via, nic, sid) for (via, nic), sid in pairs)


def _planned(prefix: Network, via: Address | None, nic: str, sid: IPv6Address | None) -> PlannedRoute:
    if sid is None:
        return PlannedRoute(prefix, via, nic)
    return PlannedRoute(prefix, via, nic, segments=(sid,), mode="encap.red")


class Rib:
    """The selected routes of one router, by prefix."""

    def __init__(self, routes: Iterable[RibRoute] = ()) -> None:
        self._routes: dict[Network, RibRoute] = {}
        for route in routes:  # of two with one distance the first stays
            known = self._routes.get(route.prefix)
            if known is None or route.distance < known.distance:
                self._routes[route.prefix] = route
        self._found: dict[Address, tuple[RibRoute, ...]] = {}

    def with_routes(self, more: Iterable[RibRoute]) -> Rib:
        return Rib((*self, *added)) if (added := tuple(more)) else self

    def __iter__(self) -> Iterator[RibRoute]:
        return iter(self._routes.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rib) and self._routes == other._routes

    __hash__ = None  # type: ignore[assignment]

    def of(self, protocols: Collection[str]) -> Iterator[RibRoute]:
        """What a node hands on that redistributes these protocols; `bgp` is all of BGP."""
        for route in self:
            if (
                route.protocol.removeprefix("i") if route.protocol == "ibgp" else route.protocol
            ) in protocols:
                yield route

    def exact(self, prefix: Network) -> RibRoute | None:
        return self._routes.get(prefix)

    def lookup(self, address: Address, but: Network | None = None) -> RibRoute | None:
        """The route of the longest prefix around an address; one of BGP to `but` can't lead to itself."""
        if address not in self._found:
            self._found[address] = tuple(self._around(address))
        known = self._found[address]
        return next((one for one in known if one.prefix != but or one.protocol not in OF_BGP), None)

    @cached_property
    def _lengths(self) -> list[tuple[int, int]]:
        return sorted({(one.version, one.prefixlen) for one in self._routes}, reverse=True)

    @cached_property
    def _by_number(self) -> dict[tuple[int, int, int], RibRoute]:
        return {_number(one): route for one, route in self._routes.items()}

    def _around(self, address: Address) -> Iterator[RibRoute]:
        number, bits = int(address), address.max_prefixlen
        for version, length in self._lengths:
            if version == address.version:
                network = number >> (bits - length) << (bits - length)
                if route := self._by_number.get((version, length, network)):
                    yield route

    def ways(self, address: Address, but: Network | None = None) -> tuple[Way, ...]:
        """The links by which an address is reached, and over whom: nobody where it is on the link."""
        found = self.lookup(address, but)
        if found is None:
            return ()
        return tuple((via if via is not None else address, nic) for via, nic in found.ways)


def own_routes(node: PlannedNode) -> Iterator[RibRoute]:
    """What a router knows before any protocol says a word: its links, what it steers, its static routes, and its locator,
    which Day0 closes behind the SIDs that are in it."""
    for nic in node.nics:
        if not nic.vrf:
            yield from (RibRoute(one, "connected", ((None, nic.name),)) for one in _told(nic.networks()))
    yield from (RibRoute(one.network, "connected", ((None, "lo"),)) for one in node.loopbacks)
    steered = (one for one in node.steering if not one.table and not one.vrf)
    yield from (RibRoute(one.prefix, "kernel", ((None, one.nic),)) for one in steered)
    yield from _static(node)
    closed = (one for one in (node.routing.locators if node.routing else ()) if one.closed)
    for locator in closed:
        yield RibRoute(locator.prefix, "static")


def vrf_routes(node: PlannedNode, vrf: str) -> Iterator[RibRoute]:
    """What a VRF knows by itself: its links, and its static routes."""
    for nic in node.nics:
        if nic.vrf == vrf:
            yield from (RibRoute(one, "connected", ((None, nic.name),)) for one in _told(nic.networks()))
    yield from _static(node, vrf)


def _static(node: PlannedNode, vrf: str = "") -> Iterator[RibRoute]:
    """Those of FRR have no metric of their own; what Day0 lays zebra takes for the kernel's."""
    for (prefix, table), routes in node.next_hops().items():
        first = routes[0]
        if first.vrf == vrf and (vrf or table is None):
            ways = tuple((one.via, one.nic) for one in routes if not one.kind)
            frr = first.frr
            yield RibRoute(prefix, "static" if frr else "kernel", ways, 0 if frr else first.rank)


def own_addresses(node: PlannedNode) -> frozenset[Address]:
    interfaces = (*(one for nic in node.nics for one in nic.addresses), *node.loopbacks)
    return frozenset(ip_interface(one).ip for one in interfaces)


def _told(networks: Iterable[Network]) -> Collection[Network]:
    return [one for one in networks if not one.is_link_local]


def _number(prefix: Network) -> tuple[int, int, int]:
    return prefix.version, prefix.prefixlen, int(prefix.network_address)
