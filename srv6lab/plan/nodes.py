"""What every node of a lab is told: the values that a plan is made of."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, IPv6Network
from typing import TYPE_CHECKING, ClassVar
from zlib import crc32

from srv6lab.errors import Location
from srv6lab.evidence.packets import Point
from srv6lab.plan.frames import FixedNeighbor, SteeredFrames
from srv6lab.plan.frr import Routing
from srv6lab.plan.frr.vpn import PlannedVrf
from srv6lab.plan.own import Own
from srv6lab.srv6.behaviors import Behavior
from srv6lab.srv6.csid import NextCsid
from srv6lab.srv6.hmac import HmacKey
from srv6lab.topology.exercises import Exercise, Probe
from srv6lab.topology.model import STANDARD
from srv6lab.topology.route import Route
from srv6lab.topology.scalars import Address, Network
from srv6lab.topology.teaching import Learner

if TYPE_CHECKING:
    from srv6lab.plan.headend import PlannedHeadend

Interface = IPv4Interface | IPv6Interface
Path = tuple[str | int, ...]
Locate = Callable[[Path], Location]


FRR_DEVICE = "sr0"  # a device of Day0's own on every router with FRR


@dataclass(frozen=True, slots=True)
class Nic:
    """One end of a link as its node sees it, with its addresses in the file's order. `trace` is the capture file's name
    without `.pcap`, `vrf` the VPN that it is in, `peers` the other ends: several are on a bridge. A `circuit` takes frames for any MAC, and may have no address. An exercise
    may have `cut` its link, which lets nothing through then."""

    point: Point
    mac: str
    mtu: int
    addresses: tuple[Interface, ...]
    trace: str
    link: str
    peers: tuple[Point, ...]
    vrf: str = ""
    circuit: bool = False
    cut: bool = False

    def __hash__(self) -> int:
        return hash(self.point)  # it is in many sets, and the hash of an address is slow

    @property
    def name(self) -> str:
        return self.point.nic

    @property
    def peer(self) -> Point:
        """The other end, the first of several."""
        return self.peers[0]

    @property
    def bridged(self) -> bool:
        """Whether its link is a bridge, whose NICs all have a carrier of their own."""
        return len(self.peers) > 1

    @property
    def address(self) -> Interface:
        """The first one."""
        return self.addresses[0]

    def of(self, version: int) -> Interface | None:
        """The first address of an IP version, None if it has none."""
        return next((one for one in self.addresses if one.version == version), None)

    def networks(self) -> Iterator[Network]:
        """The prefixes of its link in which it has an address, each once."""
        yield from dict.fromkeys(one.network for one in self.addresses)

    def has(self, address: Address) -> bool:
        """Whether the address is one of its own."""
        return any(one.ip == address for one in self.addresses)

    def reaches(self, address: Address) -> bool:
        """Whether the address is in a prefix of its link."""
        return any(address in one.network for one in self.addresses)


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    """A way to a prefix, in the main table or in the `table` that a SID or a rule looks into, or that of a VRF; several of
    one prefix share its flows by their weights. Without `via` all of the prefix is on the NIC; one that refuses has a
    `kind`, and neither. Day0 gives it the `metric` only if there is one. One that is `frr`'s is in its configuration, and
    may push `segments`."""

    prefix: Network
    via: Address | None
    nic: str
    weight: int = 1
    table: int | None = None
    vrf: str = ""
    kind: str = ""
    metric: int | None = None
    frr: bool = False
    segments: tuple[IPv6Address, ...] = ()
    mode: str = "encap"

    @property
    def rank(self) -> int:
        """What it is chosen by among static routes of its prefix: the least comes first. That is its metric, and Linux has
        one for each family if none is said."""
        return self.metric or (1024 if self.prefix.version == 6 and not self.frr else 0)

    @property
    def kernel_metric(self) -> int:
        """Its metric in the kernel, where all of FRR's have the same."""
        return 20 if self.frr else self.rank


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """What matches is looked up in a table, as `ip rule` says; `nic` is "lo" for what the node itself sends."""

    preference: int
    table: int
    versions: tuple[int, ...]
    source: Network | None = None
    to: Network | None = None
    nic: str = ""
    mark: int | None = None


@dataclass(frozen=True, slots=True)
class PlannedSid:
    """A local SID with the NIC that its kernel route names. `prefix` are the destinations that it takes,
    `policy` the segments that a binding SID pushes, first visited first; `vrf` is that into whose table it looks. Day0
    binds it, or `by` FRR's "static" in a `locator`, or "isis". `csid` is how NEXT-CSID moves a carrier up."""

    sid: IPv6Address
    behavior: Behavior
    parameters: tuple[tuple[str, str], ...]
    nic: str
    prefix: IPv6Network
    flavors: tuple[str, ...] = ()
    policy: tuple[IPv6Address, ...] = ()
    vrf: str = ""
    csid: NextCsid | None = None
    by: str = ""
    locator: str = ""

    @property
    def frr_behavior(self) -> str:
        """What FRR's static SIDs call its behavior: uN, uA, uDT4, …"""
        return {"End": "uN", "End.X": "uA"}.get(self.behavior.name, self.behavior.name.replace("End.", "u"))

    @property
    def frr_nic(self) -> str:
        """The NIC that FRR has in its route: that of the next hop, else `sr0`."""
        return self.nic if self.behavior.name == "End.X" else "sr0"

    @property
    def next_hop(self) -> str:
        return dict(self.parameters).get("nh6", "")


@dataclass(frozen=True, slots=True)
class Spare:
    """What exercises give a node for a while: each route as it is written and as it is planned, and SIDs."""

    routes: tuple[tuple[Route, PlannedRoute], ...] = ()
    sids: tuple[PlannedSid, ...] = ()


@dataclass(frozen=True, slots=True)
class SteeredList:
    """One of several segment lists: its first segment is reached by `nic` over the neighbor `via`."""

    segments: tuple[IPv6Address, ...]
    nic: str
    via: Address
    weight: int


@dataclass(frozen=True, slots=True)
class SteeredPrefix:
    """Traffic to `prefix` gets an SRH with `segments`, first visited first, and leaves by `nic`; with several `lists`
    its flows are shared among them, and those two are the first's. In a `table` it is only what a `rule` takes there,
    or the author's own rules; with a `vrf` the table is the VRF's, and it is what comes by its NICs. `hmac` is the
    number of the key that signs the SRH. With a `metric` it goes before FRR's route of the prefix."""

    prefix: Network
    segments: tuple[IPv6Address, ...]
    mode: str
    nic: str
    vrf: str = ""
    lists: tuple[SteeredList, ...] = ()
    table: int | None = None
    rule: PlannedRule | None = None
    hmac: int | None = None
    metric: int | None = None

    @property
    def thrown(self) -> tuple[IPv6Address, ...]:
        """First segments within the prefix: what is encapsulated comes to the table again, and must not stay there."""
        firsts = dict.fromkeys(one.segments[0] for one in self.lists or (self,))
        return tuple(one for one in firsts if self.table and not self.vrf and one in self.prefix)


@dataclass(frozen=True, slots=True)
class PlainVrf:
    """A VRF without BGP. `exits` are the first segments of its policies, which alone are looked up in the main table,
    each with the source of what goes there; `source` is that of the first."""

    name: str
    table: int
    nics: tuple[str, ...]
    exits: tuple[tuple[IPv6Address, IPv6Address], ...] = ()

    versions: ClassVar[tuple[int, ...]] = (4, 6)

    @property
    def source(self) -> IPv6Address | None:
        return self.exits[0][1] if self.exits else None


@dataclass(frozen=True, slots=True)
class PlannedPort:
    """A veth pair between a node and its service's namespace."""

    outside: Nic
    inside: Nic


@dataclass(frozen=True, slots=True)
class PlannedService:
    """A service with the text of its rules; `listen` is the NIC that its sensor looks at."""

    name: str
    netns: str
    ports: tuple[PlannedPort, ...]
    engine: str
    rules: str
    listen: str
    frames: str


@dataclass(frozen=True, slots=True)
class PlannedProxy:
    """A SID of an SR proxy: to the service by `to`, whose address there is `next_hop`; back by `back`. A static one
    puts what comes back into `policy`, first segment first, and the tunnel of that begins at `source`."""

    sid: IPv6Address
    behavior: Behavior
    service: str
    next_hop: Address
    to: str
    back: str
    source: IPv6Address | None = None
    policy: tuple[IPv6Address, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """All that one node needs to know. `selectors` are the rules by which steering may choose traffic, those of the lab's
    own steering are among its `rules`; `learned` are the ways that routing protocols bring, for what asks for one; `has_lists` says that some steering shares flows among segment lists. `tunnel_source`
    is the source of what it encapsulates, None for the address of the NIC by which that leaves; `takes_srh` whether it
    takes what comes to its own addresses with an SRH, `hmac_check` which packets with an SRH it takes at all."""

    name: str
    role: str
    nics: tuple[Nic, ...]
    loopbacks: tuple[Interface, ...] = ()
    locator: IPv6Network | None = None
    routes: tuple[PlannedRoute, ...] = ()
    rules: tuple[PlannedRule, ...] = ()
    vrfs: tuple[PlainVrf, ...] = ()
    local_sids: tuple[PlannedSid, ...] = ()
    steering: tuple[SteeredPrefix, ...] = ()
    frames: tuple[SteeredFrames, ...] = ()
    neighbors: tuple[FixedNeighbor, ...] = ()
    services: tuple[PlannedService, ...] = ()
    proxies: tuple[PlannedProxy, ...] = ()
    routing: Routing | None = None
    headend: PlannedHeadend | None = None
    selectors: tuple[PlannedRule, ...] = ()
    learned: tuple[tuple[Network, str], ...] = ()
    has_lists: bool = False
    own: Own = field(default_factory=Own)
    spare: Spare = field(default_factory=Spare)
    image: str = ""
    tunnel_source: IPv6Address | None = None
    takes_srh: bool = True
    hmac_keys: tuple[HmacKey, ...] = ()
    hmac_check: str = "present"
    box: str = str(STANDARD.box)
    box_version: str | None = None
    memory: int = int(STANDARD.memory or 0)
    cpus: int = int(STANDARD.cpus or 0)

    @property
    def forwards(self) -> bool:
        return self.role != "host"

    @property
    def hash_seed(self) -> int:
        """What the hash of flows begins with where it may have several ways, of its own as on a machine of its own; else 0."""
        several = any(len(routes) > 1 for routes in self.next_hops().values())
        return crc32(self.name.encode()) if several or (self.routing and len(self.nics) > 2) else 0

    @property
    def parts_flows(self) -> bool:
        """Whether Day0 tells the kernel to part flows by their ports, too: where segment lists share flows."""
        return self.headend is not None or self.has_lists

    @property
    def loopback(self) -> IPv6Interface | None:
        """The first IPv6 address on `lo`: the node is known by it."""
        return next((one for one in self.loopbacks if isinstance(one, IPv6Interface)), None)

    def addresses(self) -> tuple[Address, ...]:
        """Its NICs' in their order, then the loopback's; no link-local ones, which nobody else reaches."""
        interfaces = (*(one for nic in self.nics for one in nic.addresses), *self.loopbacks)
        return tuple(one.ip for one in interfaces if not one.is_link_local)

    @property
    def families(self) -> frozenset[int]:
        """The IP versions that it can send over its links."""
        return frozenset(one.version for nic in self.nics for one in nic.addresses if not one.is_link_local)

    def every_vrf(self) -> tuple[PlannedVrf | PlainVrf, ...]:
        """Those of BGP, then the others."""
        return (*(self.routing.vrfs if self.routing else ()), *self.vrfs)

    def vrf_names(self) -> tuple[str, ...]:
        return tuple(vrf.name for vrf in self.every_vrf())

    def addresses_in(self, table: int | None) -> tuple[Address, ...]:
        """Those in the VRF with that table, or outside of VRFs that have nothing else."""
        mine = {nic: vrf.table for vrf in self.every_vrf() for nic in vrf.nics}
        nics = (nic for nic in self.nics if mine.get(nic.name) == table)
        interfaces = (*(one for nic in nics for one in nic.addresses), *(() if table else self.loopbacks))
        return tuple(one.ip for one in interfaces if not one.is_link_local)

    def prefixes_in(self, vrf: PlainVrf) -> tuple[Network, ...]:
        """The IPv6 prefixes that a VRF has: of its links, its routes, its policies."""
        links = (one for nic in self.nics if nic.name in vrf.nics for one in nic.networks())
        routes = (route.prefix for route in self.routes if route.table == vrf.table)
        policies = (one.prefix for one in self.steering if one.vrf == vrf.name)
        return tuple(one for one in dict.fromkeys((*links, *routes, *policies)) if one.version == 6)

    def next_hops(self) -> dict[tuple[Network, int | None], tuple[PlannedRoute, ...]]:
        """The static routes by prefix and table (None for the main one), in the order of the file: those with the least
        metric, which share the flows."""
        every: dict[tuple[Network, int | None], list[PlannedRoute]] = {}
        for route in self.routes:
            every.setdefault((route.prefix, route.table), []).append(route)
        return {
            key: tuple(one for one in routes if one.rank == min(other.rank for other in routes))
            for key, routes in every.items()
        }

    def day0_routes(self) -> dict[tuple[Network, int | None], tuple[PlannedRoute, ...]]:
        """Of the `next_hops` outside of VRFs those that Day0 lays: not FRR's, nor those that are `kept`."""
        return {
            (prefix, table): routes
            for (prefix, table), routes in self.next_hops().items()
            if not routes[0].vrf and not routes[0].frr and (table or prefix not in self.kept())
        }

    def frr_routes(self, vrf: str = "") -> tuple[PlannedRoute, ...]:
        """The static routes of FRR's configuration, of one VRF or of none."""
        return tuple(
            one
            for one in self.routes
            if one.frr and one.vrf == vrf and (vrf or one.prefix not in self.kept())
        )

    def spare_routes(self) -> tuple[tuple[PlannedRoute, ...], ...]:
        """The static routes that wait behind others of their prefix and table, with a greater metric."""
        first = {route for routes in self.next_hops().values() for route in routes}
        found: dict[tuple[Network, int | None, int], tuple[PlannedRoute, ...]] = {}
        for route in self.routes:
            if route not in first:
                key = route.prefix, route.table, route.rank
                found[key] = (*found.get(key, ()), route)
        return tuple(found.values())

    def kept(self) -> frozenset[Network]:
        """The prefixes whose routes the agent of SR policies lays, and Day0 doesn't."""
        return frozenset(one.prefix for one in self.headend.steered) if self.headend else frozenset()

    def neighbor(self, address: Address, nic: str) -> Address:
        """The neighbor on a NIC over whom an address is reached: that of a route, or another address on the link."""
        routes = [one for one in self.routes if address in one.prefix and one.nic == nic and one.via]
        if routes and (via := max(routes, key=lambda one: one.prefix.prefixlen).via):
            return via
        nics = (one for one in self.nics if one.name == nic)
        own = next(found for one in nics if (found := one.of(address.version) or one.address))
        two = (1, 2) if own.network.num_addresses > 2 else (0, 1)
        return next(own.network[n] for n in two if own.network[n] != own.ip)

    def egress_nic(self, address: Address) -> str | None:
        """The NIC of the longest prefix that matches, among links and routes outside of VRFs, IS-IS's last; if none of them
        leads there, by the tables of its rules."""
        return self._way(address)[1] or self._by_rules(address)

    def pushing_device(self, address: Address) -> str | None:
        """The device of a route that encapsulates, whose first segment is the address. The way of the packet is found by
        that, and not by the device; but the route goes when its device is down. So where a routing protocol finds the way,
        it is FRR's own device, which is never down. There FRR says from where packets are encapsulated."""
        frr = self.routing is not None and self.routing.source is not None
        return FRR_DEVICE if frr and self._way(address)[0] == "learned" else self.egress_nic(address)

    def _way(self, address: Address) -> tuple[str, str]:
        """Who knows the longest prefix, and the NIC there; of two the one that is no routing protocol's."""
        nics = [nic for nic in self.nics if not nic.vrf]
        found = [("link", network, nic.name) for nic in nics for network in nic.networks()]
        found += [
            ("route", prefix, ways[0].nic) for (prefix, table), ways in self.next_hops().items() if not table
        ]
        found += [("learned", prefix, nic) for prefix, nic in self.learned]
        matches = [one for one in found if address in one[1]]
        who, _, nic = max(matches, key=lambda one: one[1].prefixlen, default=("", None, ""))
        return who, nic

    def _by_rules(self, address: Address) -> str | None:
        tables = {rule.table for rule in self.rules}
        ways = [way for way in self.routes if way.table in tables and way.nic and address in way.prefix]
        return max(ways, key=lambda way: way.prefix.prefixlen).nic if ways else None


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab, ready to be rendered, run and judged. `locations` are where its nodes and expectations are written; `said` is
    what a person types after `lab=`, where that isn't its name, `digest` that of the files that it was read from."""

    name: str
    description: str
    nodes: tuple[PlannedNode, ...]
    exercises: tuple[Exercise, ...]
    locations: Mapping[Path, Location] = field(hash=False)
    said: str = ""
    digest: str = ""
    instance: str = ""  # the name that it runs under, where that isn't its own
    learner: Learner | None = None  # whose it is, in a class
    _by_name: Mapping[str, PlannedNode] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})

    @property
    def called(self) -> str:
        """The lab as the option of a task: `lab=NAME`, or `lab=` and the path of its file."""
        return f"lab={shlex.quote(self.said or self.name)}"

    @property
    def running(self) -> str:
        """The same for tasks that act on the lab that is up: with `--instance` where it runs under another name."""
        return self.called + (f" --instance {self.instance}" if self.instance else "")

    def node(self, name: str) -> PlannedNode:
        """KeyError, which says what is there, if there is none."""
        try:
            return self._by_name[name]
        except KeyError:
            there = ", ".join(one.name for one in self.nodes)
            raise KeyError(f"lab {self.name} has no node {name}, only {there}") from None

    def locate(self, *path: str | int) -> Location:
        """Where something is written, or the nearest thing around it."""
        while path and path not in self.locations:
            path = path[:-1]
        return self.locations[path]

    def nics(self) -> Iterator[Nic]:
        """The ends of all links."""
        for node in self.nodes:
            yield from node.nics

    def traced(self) -> Iterator[Nic]:
        """Every NIC that has a tracer: the ends of links, and services' own."""
        for node in self.nodes:
            yield from node.nics
            for service in node.services:
                yield from (port.inside for port in service.ports)

    def neighbors(self) -> dict[Point, Nic]:
        """The NIC at the other end of each traced NIC's wire, the first of several."""
        return {point: ends[0] for point, ends in self.far_ends().items()}

    def far_ends(self) -> dict[Point, tuple[Nic, ...]]:
        """The NICs at the other ends of each traced NIC's link."""
        ends = {nic.point: nic for nic in self.nics()}
        others = {nic.point: tuple(ends[point] for point in nic.peers) for nic in ends.values()}
        ports = (port for node in self.nodes for service in node.services for port in service.ports)
        return others | {port.inside.point: (port.outside,) for port in ports}

    def parallel(self) -> frozenset[frozenset[str]]:
        """The pairs of places that several wires connect."""
        ends = [frozenset((point, nic.point)) for point, far in self.far_ends().items() for nic in far]
        pairs = Counter(frozenset(str(point.place) for point in both) for both in set(ends))
        return frozenset(pair for pair, count in pairs.items() if count > 1)

    def target(self, probe: Probe) -> Address:
        """The address that a probe is sent to: what it says, or of the family that both ends have on a link, IPv4
        first."""
        if probe.destination is not None:
            return probe.destination
        said, links = probe.version, self.node(probe.source).families
        families = {said} if said else links
        addresses = (one for one in self.node(probe.to or "").addresses() if one.version in families)
        return min(addresses, key=lambda address: address.version)

    def receiver(self, probe: Probe) -> str | None:
        """The node that a probe goes to, None where its destination is no node's."""
        if probe.to is not None:
            return probe.to
        return next((node.name for node in self.nodes if probe.destination in node.addresses()), None)

    def service(self, name: str) -> tuple[PlannedNode, PlannedService]:
        """A service and the machine that it is on; KeyError if there is none."""
        for node in self.nodes:
            for service in node.services:
                if service.name == name:
                    return node, service
        raise KeyError(name)

    def exercise(self, name: str) -> tuple[int, Exercise]:
        """The exercise and its index in the file; KeyError if there is none."""
        for index, exercise in enumerate(self.exercises):
            if exercise.name == name:
                return index, exercise
        raise KeyError(name)
