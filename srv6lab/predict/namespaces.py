"""What every network namespace of a planned lab knows: addresses, tables, rules, firewalls.

The plan is read as Day0 reads it: what comes later in Day0 replaces what came before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from srv6lab.evidence.packets import Address, Place, Point
from srv6lab.plan.actions import after
from srv6lab.plan.frames import SteeredFrames
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import (
    Nic,
    Plan,
    PlannedNode,
    PlannedProxy,
    PlannedRule,
    PlannedService,
    PlannedSid,
    SteeredList,
    SteeredPrefix,
)
from srv6lab.plan.own import unmodeled
from srv6lab.predict.fib import HEADENDS, LOCAL, MAIN, Fib, Found, Gateway, Link, Local, Routes, Sid, Steer
from srv6lab.predict.filters import matches
from srv6lab.predict.source import source_of
from srv6lab.predict.static_routes import OF_LINKS, behind, on_link, selected, static
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.srv6.hmac import HmacKey
from srv6lab.srv6.packet import Packet
from srv6lab.srv6.results import Flavor, How, LocalSid, Service, Table
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.firewall import Firewall
from srv6lab.topology.sr_policy import Flow
from srv6lab.topology.unicast_sids import UnicastSid

if TYPE_CHECKING:
    from srv6lab.predict.policy_routes import Elected

LOOPBACK = "lo"
_READ: Mapping[str, Callable[[str], Any]] = {"nh4": IPv4Address, "nh6": IPv6Address, "table": int, "oif": str}


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace: a node's own (`node`), or a service's (`node/netns`).

    `rules` sends what comes in by a NIC to a table; `vrfs` are those of NICs in VRFs that know nothing but their table,
    and `exits` what such a VRF looks up in the main table; `returns` has the proxies that take what comes in by a NIC;
    `selectors` are the node's own rules, the first that matches first;
    `takes_srh` is whether what comes to its own addresses may have an SRH. `classes` are flows with the tables of their
    forwarding classes, the first that matches counts. `neighbors` are the MACs of those that nobody has to be asked for.
    """

    place: Place
    nics: Mapping[str, Nic]
    locals: frozenset[Address]
    tables: Mapping[int, Fib]
    rules: Mapping[str, int] = field(default_factory=dict)
    vrfs: Mapping[str, int] = field(default_factory=dict)
    exits: Mapping[int, frozenset[Address]] = field(default_factory=dict)
    forwards: bool = True
    takes_srh: bool = True
    hmac_keys: Mapping[int, HmacKey] = field(default_factory=dict)
    hmac_check: str = "present"
    firewalls: tuple[Firewall, ...] = ()
    returns: Mapping[str, tuple[Sid, ...]] = field(default_factory=dict)
    classes: tuple[tuple[Flow, int | None], ...] = ()
    selectors: tuple[PlannedRule, ...] = ()
    neighbors: Mapping[Address, str] = field(default_factory=dict)
    unmodeled: str = ""  # why nobody can tell what it does
    hash_policies: Mapping[int, int] = field(default_factory=dict)

    def hash_policy(self, version: int) -> int:
        """What the hash of a family looks at where a route has several ways: Linux's default is 0, addresses only."""
        return self.hash_policies.get(version, 0)

    def class_table(self, packet: Packet, to: Address) -> int | None:
        """The table of a packet's forwarding class, if it has one with a way to where the packet goes."""
        table = next((table for flow, table in self.classes if matches(flow, packet)), None)
        if table is None or to in self.locals or not self.tables[table].lookup(to):
            return None
        return table

    def lookup(
        self, address: Address, came_in: str | None, table: int | None = None, source: Address | None = None
    ) -> Found | None:
        """The local addresses, then the tables of the rules that match, then the NIC's own table, then the main one; or
        one table alone. A packet that is yet to get its source has none."""
        if table is None and (vrf := self.vrfs.get(came_in or "")) and address not in self.exits[vrf]:
            table = vrf
        if table not in (None, LOCAL):
            return self.tables[table].lookup(address) if table in self.tables else None
        if address in self.locals:
            return ip_network(address), (Local(),)
        if table == LOCAL:
            return None
        for one in self.selectors:
            found = self.tables[one.table].lookup(address) if one.table in self.tables else None
            if found and found[1] and selected(one, address, came_in, source):
                return found
        rule = self.rules.get(came_in or "")
        if rule is not None and (found := self.tables[rule].lookup(address)):
            return found
        return self.tables[MAIN].lookup(address)

    def vrf_of(self, how: How | None, came_in: str | None) -> int | None:
        """The table of the VRF that a packet is in, None for none: a SID has put it there, or the NIC that it came by."""
        if isinstance(how, Table):
            return how.number if how.number in self.exits else None
        return self.vrfs.get(came_in or "") if how is None else None

    def has(self, address: Address, nic: str) -> bool:
        """Whether it answers for an address on a link: each VRF has its own addresses."""
        if (vrf := self.vrfs.get(nic)) is None:
            return address in self.locals
        found = self.tables[vrf].lookup(address)
        return found is not None and found[1] == (Local(),)


class ModeledLab:
    """A plan with what an exercise changed in it, and what headends have elected. Namespaces are built when a packet
    first comes to them."""

    def __init__(
        self,
        plan: Plan,
        actions: Sequence[Action] = (),
        elected: Mapping[str, Elected] = MappingProxyType({}),
    ) -> None:
        changed = after(plan, actions)
        self.plan, self.cut, self._firewalls = changed.plan, changed.cut, changed.firewalls
        self.down, self.losses = changed.down, changed.losses
        self._elected = elected
        self._machines = {node.name: node for node in self.plan.nodes}
        self._ends = {nic.point: nic for node in self.plan.nodes for nic in _every_nic(node)}
        self._unmodeled = unmodeled(self.plan) | _of_bgp(self.plan, self.down, self.cut)
        own = (one.name for node in self.plan.nodes for one in node.own.sysctls)
        self.copies_labels = (
            "net.ipv6.seg6_flowlabel" not in own
        )  # an outer header has the inner one's, as it is meant
        self._withdrawn = changed.withdrawn
        self._learned = _learned(self.plan, changed.withdrawn)
        self._built: dict[Place, Namespace] = {}

    def namespace(self, place: Place) -> Namespace:
        """KeyError for one that the plan doesn't have."""
        if place not in self._built:
            self._built[place] = self._build(place, self._machines[place.node])
        return self._built[place]

    def silent(self, nic: Nic) -> str:
        """Why a NIC sends nothing, "" if it does."""
        if nic.point in self.down:
            return f"{nic.point} is down"
        silent = nic.peer in self.down and not nic.bridged
        return f"{nic.point} has no carrier: {nic.peer} is down" if silent else ""

    def across(self, nic: Nic, address: Address | None = None) -> Nic:
        """The other end of the wire; of a bridge the one whose node answers for an address, else the first."""
        ends = [self._ends[point] for point in nic.peers]
        if address is None or not nic.bridged:
            return ends[0]
        up = [one for one in ends if one.point not in self.down]
        owner = next((one for one in up if one.has(address)), None)
        others = (one for one in up if self.namespace(one.point.place).has(address, one.name))
        return owner or next(others, ends[0])

    def _build(self, place: Place, node: PlannedNode) -> Namespace:
        firewalls = tuple(one for one in self._firewalls if one.place == place)
        if place.netns:
            inside = next(one for one in node.services if one.netns == place.netns)
            found = _inside(place, inside, firewalls)
        else:
            learned = self._learned.get(node.name, ExpectedRoutes())
            down = frozenset(nic.name for nic in node.nics if nic.point in self.down)
            if node.name in self._withdrawn:
                left = tuple(one for one in node.local_sids if one.by != "isis")
                node = replace(node, local_sids=left)
            found = _node(node, learned, firewalls, self._elected.get(node.name), down)
        elected = self._elected.get(node.name)
        unknown = elected.unknown if elected else ""
        return replace(found, unmodeled=self._unmodeled.get(node.name, unknown))


def _learned(plan: Plan, withdrawn: frozenset[str]) -> Mapping[str, ExpectedRoutes]:
    """What routing protocols bring, which most labs have none of."""
    if not any(node.routing for node in plan.nodes):
        return {}
    from srv6lab.plan.converged import expected_routes

    return expected_routes(plan, withdrawn)


def _of_bgp(plan: Plan, down: frozenset[Point], cut: frozenset[str]) -> dict[str, str]:
    """When a session of BGP ends that lost its link, and what is left of its routes, isn't modeled."""
    routers = [node for node in plan.nodes if node.routing]
    links = sorted(cut & {nic.link for node in routers for nic in node.nics})
    lost = [f"{point} is down" for point in sorted(down)] + [f"link {link} is cut" for link in links]
    if not lost or not any(node.routing and node.routing.bgp for node in routers):
        return {}
    return {node.name: f"what BGP makes of it that {' and '.join(lost)} isn't modeled" for node in routers}


def _every_nic(node: PlannedNode) -> Iterator[Nic]:
    yield from node.nics
    for service in node.services:
        for port in service.ports:
            yield from (port.outside, port.inside)


def _node(
    node: PlannedNode,
    learned: ExpectedRoutes,
    firewalls: tuple[Firewall, ...],
    elected: Elected | None = None,
    down: frozenset[str] = frozenset(),
) -> Namespace:
    ports = [port.outside for service in node.services if service.netns for port in service.ports]
    nics = {nic.name: nic for nic in (*node.nics, *ports)}
    apart = {nic: vrf.table for vrf in node.every_vrf() for nic in vrf.nics}
    inside = (nic for nic in nics.values() if nic.name not in {*apart, *down})
    interfaces = [(nic.name, one) for nic in inside for one in nic.addresses]
    interfaces += [(LOOPBACK, one) for one in node.loopbacks]
    fib = Fib((one.network, (Link(name),)) for name, one in interfaces)
    # An IPv6 link keeps its prefix, whose metric is lower than a static route's that says none.
    others = (one for one in node.routes if one.prefix.version == 6 and not one.frr)
    ahead = {one.prefix for one in others if one.rank < OF_LINKS}
    connected = {interface.network for _, interface in interfaces if interface.version == 6} - ahead
    tables = {MAIN: fib} | {vrf.table: Fib() for vrf in node.every_vrf()}
    for table, prefix, hops in (*_routes(node, learned, nics, elected), *_in_vrfs(node, down)):
        if table is not None:
            tables.setdefault(table, Fib()).put(prefix, hops)
        elif prefix not in connected:
            fib.put(prefix, hops)
    returns: dict[str, tuple[Sid, ...]] = {}
    for proxy in node.proxies:
        returns[proxy.back] = (*returns.get(proxy.back, ()), _proxy(proxy))
    return Namespace(
        place=Place(node.name),
        nics=nics,
        locals=frozenset(interface.ip for _, interface in interfaces) | _kept(nics, apart, down),
        tables=tables,
        vrfs=apart,
        exits=dict(_exits(node, learned)),
        forwards=node.forwards,
        takes_srh=node.takes_srh,
        hmac_keys={key.number: key for key in node.hmac_keys},
        hmac_check=node.hmac_check,
        firewalls=firewalls,
        returns=returns,
        classes=elected.class_tables(node) if elected else (),
        selectors=tuple(sorted((*node.rules, *_of_frames(node)), key=lambda rule: rule.preference)),
        hash_policies=dict(_hash_policies(node)),
        neighbors={one.address: one.mac for one in node.neighbors},
    )


def _kept(nics: Mapping[str, Nic], apart: Mapping[str, int], down: Iterable[str]) -> frozenset[Address]:
    """The addresses of NICs that are down: a node keeps those of IPv4, and loses those of IPv6."""
    kept = (one.ip for name in down if name not in apart for one in nics[name].addresses)
    return frozenset(address for address in kept if address.version == 4)


def _hash_policies(node: PlannedNode) -> Iterator[tuple[int, int]]:
    """By family; what the author sets comes after what Day0 does by itself."""
    yield from ((4, 1), (6, 1)) if node.parts_flows else ()
    for one in node.own.sysctls:
        if one.name.endswith(".fib_multipath_hash_policy") and one.value.isdigit():
            yield 4 if "ipv4" in one.name else 6, int(one.value)


def _routes(
    node: PlannedNode,
    learned: ExpectedRoutes,
    nics: Mapping[str, Nic],
    elected: Elected | None,
) -> Routes:
    """All but links, each over those before it: what protocols and Day0 bring, then what the headend's agent does."""
    for told, ways in groupby(learned.routes, lambda route: route.prefix):
        yield None, told, tuple(behind(node, nics, one) for one in ways)
    yield from static(node, nics)
    for sid in node.local_sids:
        yield None, sid.prefix, (_sid(node, nics, sid),)
    for own in node.routing.bgp.sids if node.routing and node.routing.bgp else ():
        yield None, ip_network(own.sid), (_of_main_table(own),)
    yield from _vpns(node, learned)
    for policy in node.steering:
        yield policy.table, policy.prefix, tuple(_steer(node, nics, policy))
        yield from ((policy.table, ip_network(first), ()) for first in policy.thrown)
    for frames in node.frames:
        yield frames.table, ip_network(frames.segments[0]), ()  # what carries the frames
        yield from ((frames.table, prefix, tuple(_steer(node, nics, frames))) for prefix in frames.prefixes)
    for proxy in node.proxies:
        yield None, ip_network(proxy.sid), (_proxy(proxy),)
    if elected:
        yield from elected.routes(node)


def _in_vrfs(node: PlannedNode, down: frozenset[str]) -> Routes:
    """What the NICs of a VRF bring, which no route replaces: their prefixes, and the addresses of the node there."""
    for vrf in node.every_vrf():
        mine = [nic for nic in node.nics if nic.name in vrf.nics and nic.name not in down]
        yield from ((vrf.table, one, (Link(nic.name),)) for nic in mine for one in nic.networks())
        yield from ((vrf.table, ip_network(one.ip), (Local(),)) for nic in mine for one in nic.addresses)


def _sid(node: PlannedNode, nics: Mapping[str, Nic], sid: PlannedSid) -> Sid:
    local = LocalSid(
        **{name: _READ[name](value) for name, value in sid.parameters},
        flavors=frozenset(Flavor[name] for name in sid.flavors if name != NEXT_CSID),
        next_csid=sid.csid,
        policy=Encapsulation(source_of(node, nics, sid.nic, sid.policy[0]), sid.policy)
        if sid.policy
        else None,
    )
    return Sid(sid.sid, sid.behavior, local)


def _of_frames(node: PlannedNode) -> Iterator[PlannedRule]:
    """What comes in by a circuit is looked up in a table of its own."""
    for one in node.frames:
        yield PlannedRule(one.preference, one.table, (4, 6), nic=one.by)


def _proxy(proxy: PlannedProxy) -> Sid:
    policy = Encapsulation(proxy.source, proxy.policy) if proxy.source else None
    local = LocalSid(service=Service(proxy.to, proxy.back), policy=policy)
    return Sid(proxy.sid, proxy.behavior, local, proxy.next_hop)


def _exits(node: PlannedNode, learned: ExpectedRoutes) -> Iterator[tuple[int, frozenset[Address]]]:
    """What each VRF looks up in the main table: where the outer headers of its own go."""
    yield from ((vrf.table, frozenset(segment for segment, _ in vrf.exits)) for vrf in node.vrfs)
    for vpn in node.routing.vrfs if node.routing else ():
        yield vpn.table, frozenset(route.sid for route in learned.vpns.get(vpn.name, ()))


def _of_main_table(own: UnicastSid) -> Sid:
    """What Day0 binds for End.DT4 looks up in the main table, too, and the node's own addresses before that."""
    if own.version == 4:
        return Sid(own.sid, REGISTRY["End.DX4"], LocalSid(nh4=IPv4Address(0)))
    return Sid(own.sid, REGISTRY[own.behavior], LocalSid(table=MAIN))


def _vpns(node: PlannedNode, learned: ExpectedRoutes) -> Routes:
    """The other sites of a VPN, behind their SIDs (RFC 9252 section 5), and its own SIDs."""
    routing = node.routing
    for vrf in routing.vrfs if routing else ():
        for sid in vrf.sids:
            bound = Sid(sid.sid, REGISTRY[sid.behavior], LocalSid(table=vrf.table))
            yield None, ip_network(sid.sid), (bound,)
        for told, ways in groupby(learned.over_links.get(vrf.name, ()), lambda route: route.prefix):
            yield vrf.table, told, tuple(map(on_link, ways))
        for route in learned.vpns.get(vrf.name, ()):
            if routing is None or routing.source is None:
                raise ValueError(f"{node.name} has no loopback to encapsulate from")
            pushed = Encapsulation(routing.source, (route.sid,))
            yield vrf.table, route.prefix, (Steer("H.Encaps.Red", pushed),)


def _steer(
    node: PlannedNode, nics: Mapping[str, Nic], policy: SteeredPrefix | SteeredFrames
) -> Iterator[Steer]:
    key = next((one for one in node.hmac_keys if one.number == policy.hmac), None)
    for one in _lists(policy):
        pushed = Encapsulation(source_of(node, nics, one.nic, one.segments[0]), one.segments, key=key)
        yield Steer(HEADENDS[policy.mode], pushed, one.weight if isinstance(one, SteeredList) else 1)


def _lists(policy: SteeredPrefix | SteeredFrames) -> tuple[SteeredList | SteeredPrefix | SteeredFrames, ...]:
    return (policy.lists if isinstance(policy, SteeredPrefix) else ()) or (policy,)


def _inside(place: Place, service: PlannedService, firewalls: tuple[Firewall, ...]) -> Namespace:
    """A service's namespace: with two ports, what comes in by one leaves by the other."""
    nics = {port.inside.name: port.inside for port in service.ports}
    tables = {MAIN: Fib((network, (Link(nic.name),)) for nic in nics.values() for network in nic.networks())}
    rules = {}
    if len(service.ports) == 2:
        for number, (port, other) in enumerate(zip(service.ports, reversed(service.ports), strict=True), 101):
            way = Gateway(other.outside.address.ip, other.inside.name)
            everything = ip_network("::/0" if way.next_hop.version == 6 else "0.0.0.0/0")
            tables[number] = Fib([(everything, (way,))])
            rules[port.inside.name] = number
    addresses = frozenset(one.ip for nic in nics.values() for one in nic.addresses)
    return Namespace(place, nics, addresses, tables, rules, firewalls=firewalls)
