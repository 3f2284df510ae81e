"""The frozen model of what an author writes in `topology.yml`.

It says what a file may hold, key by key. What the parts mean together (a segment that no node
owns, two NICs with one address) is judged by the loader, which knows where each stands.
"""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, IPv6Network, ip_interface
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from srv6lab.engines import AUTO, ENGINES
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.hmac import HmacCheck, Key, KeyName
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.own import ImageName, OwnWords
from srv6lab.topology.places import Point
from srv6lab.topology.route import Route
from srv6lab.topology.routing.bfd import Bfd
from srv6lab.topology.routing.bgp import Bgp
from srv6lab.topology.routing.frr import Frr
from srv6lab.topology.routing.isis import Isis, IsisLink
from srv6lab.topology.routing.locator import Locator, SidStructure
from srv6lab.topology.routing.ospf import Ospf, OspfLink
from srv6lab.topology.routing.vrf import PlainVrf, Vrf, VrfName
from srv6lab.topology.rules import Rule
from srv6lab.topology.scalars import (
    ENDPOINT,
    Address,
    BoxName,
    BoxVersion,
    Cpus,
    FileName,
    Flag,
    Interface,
    Line,
    Mac,
    Megabytes,
    Model,
    Mtu,
    Name,
    Network,
    NicName,
    TraceName,
    V4Address,
    V6Address,
    V6Network,
    several,
)
from srv6lab.topology.sr_policy import Headend, LinkMetric, Srlg, SrPolicy
from srv6lab.topology.steering import Steering
from srv6lab.topology.teaching import Learner

LINK_LOCAL = IPv6Network("fe80::/64")  # what every link has
MOST_ENDS = 32  # of a link: more than two are a bridge
MOST_LINKS = 7  # VirtualBox gives eight NICs, and Vagrant needs the first


class Hardware(Model):
    """What a virtual machine is made of, and the `image` of a container; a namespace needs none of it. `memory` is
    in MB."""

    image: ImageName | None = None
    box: BoxName | None = None
    box_version: BoxVersion | None = None
    memory: Megabytes | None = None
    cpus: Cpus | None = None


STANDARD = Hardware.model_construct(box="bento/debian-12", memory=1024, cpus=1)


MAIN = "main"  # what FRR calls the locator that has no other name


def _is_network(text: str) -> bool:
    try:
        IPv6Network(text)
    except ValueError:
        return False
    return True


Role = Literal["host", "router", "sr-proxy", "service"]


class Node(Hardware, OwnWords):
    """A machine of the lab."""

    role: Role
    locator: V6Network | None = None
    locators: dict[Name, Locator] = Field(default_factory=dict)
    sid_structure: SidStructure | None = None
    loopbacks: Annotated[tuple[Interface, ...], BeforeValidator(several)] = Field((), alias="loopback")
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    router_id: V4Address | None = None
    isis: Isis | None = None
    ospf: Ospf | None = None
    ospf6: Ospf | None = None
    frr: Frr | None = None
    bgp: Bgp | None = None
    vrfs: dict[VrfName, PlainVrf | Vrf] = Field(default_factory=dict)
    headend: Headend = Headend.model_construct()
    tunnel_source: V6Address | None = None
    hmac_keys: dict[KeyName, Key] = Field(default_factory=dict)
    hmac_check: HmacCheck = "present"

    @property
    def loopback(self) -> IPv6Interface | None:
        """The first IPv6 address on `lo`: the node is known by it."""
        return next((one for one in self.loopbacks if isinstance(one, IPv6Interface)), None)

    @model_validator(mode="before")
    @classmethod
    def _first_locator(cls, data: Any) -> Any:
        """Where only `locators` are said, the first of them is the `locator`."""
        if isinstance(data, dict) and not data.get("locator"):
            named = data.get("locators")
            first = next(iter(named.values()), None) if isinstance(named, dict) else None
            prefix = first.get("prefix") if isinstance(first, dict) else None
            if isinstance(prefix, str) and _is_network(prefix):
                return {**data, "locator": prefix}
        return data

    @property
    def every_locator(self) -> dict[str, Locator]:
        """All of its locators by their names; `locator` is `main`, where no other name has its prefix."""
        main = {} if self.locator is None else {MAIN: Locator(prefix=self.locator)}
        if any(one.prefix == self.locator for one in self.locators.values()):
            main = {}
        return main | {name: one for name, one in self.locators.items() if name not in main}

    @property
    def first_locator(self) -> str:
        """The name of the one that `locator` says."""
        return next((name for name, one in self.every_locator.items() if one.prefix == self.locator), "")

    def locator_of(self, sid: IPv6Address) -> str:
        """The name of the locator that FRR binds a SID in, "" for none: the one that it is in, else one of its block."""
        every = self.every_locator.items()
        inside = (name for name, one in every if sid in one.prefix)
        return next(inside, next((name for name, one in every if one.holds(sid)), ""))

    @property
    def isis_locator(self) -> str:
        """The name of the locator that IS-IS announces, "" for none."""
        said = self.isis.locators if self.isis else ()
        return next(iter(said), self.first_locator if self.isis else "")

    @property
    def runs_frr(self) -> bool:
        """Whether its static routes are FRR's. Who has a routing protocol has a `router_id`."""
        return self.router_id is not None

    @property
    def vpns(self) -> dict[str, Vrf]:
        """The VRFs whose routes come by BGP."""
        return {name: one for name, one in self.vrfs.items() if isinstance(one, Vrf)}

    @property
    def vrf_tables(self) -> dict[str, int]:
        """The tables of the other VRFs."""
        return {name: one.table for name, one in self.vrfs.items() if isinstance(one, PlainVrf)}

    def place_of(self, route: Route) -> str:
        """The VRF of a static route, one of BGP's or another; "" for none."""
        return route.vrf if route.vrf in self.vpns else self.vrf_of(route.vrf, route.table)

    def vrf_of(self, vrf: str | None, table: int | None = None) -> str:
        """The VRF without BGP that is named, or whose table is; "" for none."""
        named = (name for name, number in self.vrf_tables.items() if name == vrf or number == table)
        return next(named, "")


class Group(Node):
    """Nodes that have something in common: what a node says itself goes first, then its groups, then `defaults`. What is
    no hardware the loader has given to the members before a group is made of the rest."""

    role: Role | None = None  # type: ignore[assignment]
    members: Annotated[tuple[Name, ...], Field(min_length=1)]


class Pools(Model):
    """Where addresses are taken from that the file doesn't say: links' prefixes, routers' loopbacks and locators."""

    links: Network | None = None
    loopbacks: Network | None = None
    locators: V6Network | None = None


def _spell_out(value: Any) -> Any:
    """`"r1:eth2"` is short for `{at: "r1:eth2"}`."""
    return {"at": value} if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """One file is short for a list of it."""
    return [value] if isinstance(value, str) else value


class Endpoint(Model):
    """One end of a link: a NIC, its addresses in the link's prefixes, the name of its capture file. Its `mac` and `mtu`
    go before what they are otherwise."""

    at: Annotated[str, StringConstraints(pattern=ENDPOINT)]
    addresses: Annotated[tuple[Address, ...], BeforeValidator(several)] = Field((), alias="address")
    mac: Mac | None = None
    mtu: Mtu | None = None
    trace: TraceName | None = None
    vrf: VrfName | None = None

    @property
    def point(self) -> Point:
        return Point.parse(self.at)

    @property
    def node(self) -> str:
        return self.point.node

    @property
    def nic(self) -> str:
        return self.point.nic


class Link(Model):
    """A cable between two NICs, or a bridge with more, with the prefixes of their addresses; `fe80::/64` is link-local addresses alone.
    `igp_metric`, `te_metric`, `delay` in microseconds, `affinities` and `srlgs` are what the SR database of headends
    knows of it in both directions; of a link with IS-IS, the metric is that one's."""

    name: Name
    endpoints: Annotated[
        tuple[Annotated[Endpoint, BeforeValidator(_spell_out)], ...],
        Field(min_length=2, max_length=MOST_ENDS),
    ]
    prefixes: Annotated[tuple[Network, ...], Field(min_length=1), BeforeValidator(several)] = Field(
        alias="prefix"
    )
    mtu: Mtu = 1500
    isis: IsisLink | None = None
    ospf: OspfLink | None = None
    ospf6: OspfLink | None = None
    bfd: Bfd | None = None
    igp_metric: LinkMetric = 10
    te_metric: LinkMetric = 10
    delay: LinkMetric = 10
    affinities: tuple[Name, ...] = ()
    srlgs: tuple[Srlg, ...] = ()

    @property
    def versions(self) -> frozenset[int]:
        """The IP versions of its prefixes."""
        return frozenset(prefix.version for prefix in self.prefixes)

    def interfaces(self, end: int) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """The addresses of one end in each prefix, with its length: what the author says, else the first of the
        prefix for the first end, and so on; none in a prefix that has no room for it."""
        said = self.endpoints[end].addresses
        return tuple(
            ip_interface((address, prefix.prefixlen))
            for prefix in self.prefixes
            for address in [one for one in said if one in prefix]
            or ([prefix[end + 1]] if end + 1 < prefix.num_addresses else [])
        )

    def address(self, end: int, version: int | None = None) -> Address | None:
        """The first address of one end, of one IP version if one is asked for; None if it has none."""
        interfaces = (one for one in self.interfaces(end) if version in (None, one.version))
        return next((one.ip for one in interfaces), None)


class Port(Model):
    """A veth pair between a node and the namespace of its service: `outside` gets the first address
    of `prefix`, IPv4 or IPv6, `inside` the second, and `inside` is traced."""

    outside: NicName
    inside: NicName
    prefix: Network
    mtu: Mtu = 2000
    trace: TraceName | None = None


if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[(AUTO, *ENGINES)]


class Service(Model):
    """A network service on a node: an IDS with its rules, in a namespace of its own behind two
    ports, or on a NIC of the node itself.

    With ports, what comes in by the first leaves by the second and the other way round. `frames`
    restricts what the sensor looks at: `ipv4` shows what one that knows no IPv6 would miss.
    """

    node: Name
    netns: Name | None = None
    ports: Annotated[tuple[Port, ...], Field(max_length=2)] = ()
    engine: EngineName = AUTO
    sr_aware: Flag = False
    rules: FileName
    listen: NicName | None = None
    frames: Literal["all", "ipv4"] = "all"


VarName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,30}$")]


class Topology(Model):
    """A lab. `include`, `vars` and `pools` have done their work before this is made, and are kept to be checked."""

    name: Name
    include: Annotated[tuple[FileName, ...], BeforeValidator(_listed)] = ()
    vars: dict[VarName, Annotated[int, Field(strict=True)] | Flag | Line] = Field(default_factory=dict)
    pools: Pools = Pools.model_construct()
    description: Line = ""
    order: Annotated[int, Field(strict=True, ge=0)] = 100
    requires: tuple[Name, ...] = ()
    defaults: Hardware = Hardware.model_construct()
    groups: dict[Name, Group] = Field(default_factory=dict)
    nodes: Annotated[dict[Name, Node], Field(min_length=1)]
    links: tuple[Link, ...] = ()
    services: dict[Name, Service] = Field(default_factory=dict)
    local_sids: tuple[LocalSid, ...] = ()
    external: tuple[V6Network, ...] = ()
    policies: tuple[SrPolicy, ...] = ()
    steering: tuple[Steering, ...] = ()
    exercises: tuple[Exercise, ...] = ()
    learner: Learner | None = None
