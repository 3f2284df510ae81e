"""The frozen model of what an author writes in `topology.yml`.

It says what a file may hold, key by key. What the parts mean together (a segment that no node
owns, two NICs with one address) is judged by the loader, which knows where each stands.
"""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from srv6lab.engines import AUTO, ENGINES
from srv6lab.srv6.csid import NextCsid
from srv6lab.srv6.flavors import NEXT_CSID, in_linux
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.hmac import HmacCheck, Key, KeyName
from srv6lab.topology.places import Point
from srv6lab.topology.routing import Bgp, Isis, IsisLink, SidStructure, Vrf, VrfName
from srv6lab.topology.scalars import (
    Address,
    BoxName,
    BoxVersion,
    Cpus,
    FileName,
    Flag,
    Line,
    Megabytes,
    Model,
    Mtu,
    Name,
    Network,
    TraceName,
    V4Address,
    V6Address,
    V6Interface,
    V6Network,
)
from srv6lab.topology.sr_policy import Headend, LinkMetric, Srlg, SrPolicy
from srv6lab.topology.steering import Steering, Target

MOST_LINKS = 7  # VirtualBox gives eight NICs, and Vagrant needs the first

ENDPOINT = r"^([a-z][a-z0-9-]{0,30}):(eth[1-9][0-9]?)$"


class Route(Model):
    """A static route of a node, in its main table or in one that only its SIDs look into (the kernel has tables of
    its own from 253 on). Several of one prefix and table share its flows by their weights."""

    prefix: Network
    via: Address
    weight: Annotated[int, Field(strict=True, ge=1, le=256)] = 1
    table: Annotated[int, Field(strict=True, ge=1, le=252)] | None = None


class Hardware(Model):
    """What a virtual machine is made of; a namespace needs none of it. `memory` is in MB."""

    box: BoxName | None = None
    box_version: BoxVersion | None = None
    memory: Megabytes | None = None
    cpus: Cpus | None = None


STANDARD = Hardware(box="bento/ubuntu-22.04", memory=1024, cpus=1)


class Group(Hardware):
    """Nodes that are made of the same: what a node says itself goes first, then its groups, then `defaults`."""

    members: Annotated[tuple[Name, ...], Field(min_length=1)]


class Node(Hardware):
    """A machine of the lab."""

    role: Literal["host", "router", "sr-proxy", "service"]
    locator: V6Network | None = None
    sid_structure: SidStructure | None = None
    loopback: V6Interface | None = None
    routes: tuple[Route, ...] = ()
    router_id: V4Address | None = None
    isis: Isis | None = None
    bgp: Bgp | None = None
    vrfs: dict[VrfName, Vrf] = Field(default_factory=dict)
    headend: Headend = Headend()
    tunnel_source: V6Address | None = None
    hmac_keys: dict[KeyName, Key] = Field(default_factory=dict)
    hmac_check: HmacCheck = "present"


def _spell_out(value: Any) -> Any:
    """`"r1:eth2"` is short for `{at: "r1:eth2"}`."""
    return {"at": value} if isinstance(value, str) else value


class Endpoint(Model):
    """One end of a link: a NIC, its address in the link's prefix, the name of its capture file."""

    at: Annotated[str, StringConstraints(pattern=ENDPOINT)]
    address: Address | None = None
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
    """A cable between two NICs. `igp_metric`, `te_metric`, `delay` in microseconds, `affinities` and `srlgs` are what the
    SR database of headends knows of it in both directions; of a link with IS-IS, the metric is that one's."""

    name: Name
    endpoints: Annotated[
        tuple[Annotated[Endpoint, BeforeValidator(_spell_out)], ...], Field(min_length=2, max_length=2)
    ]
    prefix: Network
    mtu: Mtu = 1500
    isis: IsisLink | None = None
    igp_metric: LinkMetric = 10
    te_metric: LinkMetric = 10
    delay: LinkMetric = 10
    affinities: tuple[Name, ...] = ()
    srlgs: tuple[Srlg, ...] = ()

    def address(self, end: int) -> Address:
        """The address of one end: what the author says, else the first and the second of the prefix."""
        return self.endpoints[end].address or self.prefix[end + 1]


if TYPE_CHECKING:
    FlavorName = str
else:
    FlavorName = Literal[*in_linux()]
NicLabel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,14}$")]


class Port(Model):
    """A veth pair between a node and the namespace of its service: `outside` gets the first address
    of `prefix`, IPv4 or IPv6, `inside` the second, and `inside` is traced."""

    outside: NicLabel
    inside: NicLabel
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
    listen: NicLabel | None = None
    frames: Literal["all", "ipv4"] = "all"


class LocalSid(Model):
    """A SID that a node owns and the behavior bound to it (RFC 8986 section 3), with its flavors."""

    node: Name
    sid: V6Address
    behavior: str
    nh4: V4Address | None = None
    nh6: V6Address | None = None
    table: Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)] | None = None
    policy: Target | None = None
    service: Name | None = None
    flavors: tuple[FlavorName, ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """What the author gave, by the names of the behavior's registry entry."""
        given = {name: getattr(self, name) for name in ("nh4", "nh6", "policy", "service", "table")}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def prefix(self) -> IPv6Network:
        """The destinations that the SID takes: with NEXT-CSID whatever follows it, else itself."""
        return NextCsid().prefix(self.sid) if NEXT_CSID in self.flavors else IPv6Network(self.sid)


class Topology(Model):
    """A lab."""

    name: Name
    description: Line = ""
    order: Annotated[int, Field(strict=True, ge=0)] = 100
    requires: tuple[Name, ...] = ()
    defaults: Hardware = Hardware()
    groups: dict[Name, Group] = Field(default_factory=dict)
    nodes: Annotated[dict[Name, Node], Field(min_length=1)]
    links: tuple[Link, ...] = ()
    services: dict[Name, Service] = Field(default_factory=dict)
    local_sids: tuple[LocalSid, ...] = ()
    policies: tuple[SrPolicy, ...] = ()
    steering: tuple[Steering, ...] = ()
    exercises: tuple[Exercise, ...] = ()
