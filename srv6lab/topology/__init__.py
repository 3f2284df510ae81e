"""The frozen model of what an author writes in `topology.yml`, and its JSON Schema.

It says what a file may hold, key by key. What the parts mean together (a segment that no node
owns, two NICs with one address) is judged by the loader, which knows where each stands.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from srv6lab.srv6.csid import NextCsid
from srv6lab.topology.control import ControlExpectation as ControlExpectation
from srv6lab.topology.policies import ColorTarget, Headend, LinkMetric, Srlg
from srv6lab.topology.policies import SrPolicy as SrPolicy
from srv6lab.topology.routing import Bgp, Isis, IsisLink, SidStructure, Vrf, VrfName
from srv6lab.topology.scalars import BOX_VERSION as BOX_VERSION
from srv6lab.topology.scalars import Address as Address
from srv6lab.topology.scalars import (
    BoxName,
    BoxVersion,
    Cpus,
    FileName,
    Line,
    Megabytes,
    Model,
    Mtu,
    Name,
    PlaceText,
    PointText,
    Share,
    TraceName,
    V4Address,
    V4Network,
    V6Address,
    V6Interface,
    V6Network,
)
from srv6lab.topology.scalars import Network as Network
from srv6lab.topology.scalars import NicName as NicName

MOST_LINKS = 7  # VirtualBox gives eight NICs, and Vagrant needs the first

_ENDPOINT_TEXT = r"([a-z][a-z0-9-]{0,30}):(eth[1-9][0-9]?)"


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


def _spell_out(value: Any) -> Any:
    """`"r1:eth2"` is short for `{at: "r1:eth2"}`."""
    return {"at": value} if isinstance(value, str) else value


class Endpoint(Model):
    """One end of a link: a NIC, its address in the link's prefix, the name of its capture file."""

    at: Annotated[str, StringConstraints(pattern=rf"^{_ENDPOINT_TEXT}$")]
    address: Address | None = None
    trace: TraceName | None = None
    vrf: VrfName | None = None

    @property
    def node(self) -> str:
        return self.at.partition(":")[0]

    @property
    def nic(self) -> str:
        return self.at.partition(":")[2]


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


NicLabel = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,14}$")]


class Port(Model):
    """A veth pair between a node and the namespace of its service: `outside` gets the first address
    of `prefix`, IPv4 or IPv6, `inside` the second, and `inside` is traced."""

    outside: NicLabel
    inside: NicLabel
    prefix: Network
    mtu: Mtu = 2000
    trace: TraceName | None = None


class Service(Model):
    """A network service on a node: an IDS with its rules, in a namespace of its own behind two
    ports, or on a NIC of the node itself.

    With ports, what comes in by the first leaves by the second and the other way round. `frames`
    restricts what the sensor looks at: `ipv4` shows what one that knows no IPv6 would miss.
    """

    node: Name
    netns: Name | None = None
    ports: Annotated[tuple[Port, ...], Field(max_length=2)] = ()
    engine: Literal["auto", "suricata", "snort"] = "auto"
    sr_aware: bool = False
    rules: FileName
    listen: NicLabel | None = None
    frames: Literal["all", "ipv4"] = "all"


class Target(Model):
    """Where traffic is steered to: segments in visiting order."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]


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
    flavors: tuple[Literal["PSP", "NEXT-CSID"], ...] = ()

    @property
    def parameters(self) -> dict[str, Any]:
        """What the author gave, by the names of the behavior's registry entry."""
        given = {name: getattr(self, name) for name in ("nh4", "nh6", "policy", "service", "table")}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def prefix(self) -> IPv6Network:
        """The destinations that the SID takes: with NEXT-CSID whatever follows it, else itself."""
        return NextCsid().prefix(self.sid) if "NEXT-CSID" in self.flavors else IPv6Network(self.sid)


class Match(Model):
    """Which traffic is steered."""

    prefix: Network


class Steering(Model):
    """Matching traffic is encapsulated at a headend (RFC 8986 section 5) over segments of its own, or over those of
    the SR policy that its color says; with `encap.red` in a reduced SRH, or in none where there is one segment."""

    headend: Name
    match: Match
    to: Target | ColorTarget
    mode: Literal["encap", "encap.red"] = "encap"

    @property
    def segments(self) -> tuple[IPv6Address, ...]:
        """Its own, first visited first; none where a policy decides."""
        return self.to.segments if isinstance(self.to, Target) else ()


class Probe(Model):
    """Traffic that an exercise sends from one node to another: `icmp` echo requests, or one datagram of each of `udp`
    flows, which differ in their source port. `size` bytes are behind the ICMP or UDP header (the token that they are
    told by needs 56). With `segments` echo requests carry an SRH through these SIDs, first visited first, with `oam`
    its O-flag (RFC 9259). `interval` is in milliseconds."""

    id: Name
    source: Name = Field(alias="from")
    to: Name
    icmp: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    udp: Annotated[int, Field(strict=True, ge=1, le=20000)] | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 5000
    interval: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    size: Annotated[int, Field(strict=True, ge=56, le=8952)] = 56
    segments: Annotated[tuple[V6Address, ...], Field(max_length=16)] = ()
    oam: bool = False

    @property
    def count(self) -> int:
        """How many packets it sends."""
        return self.icmp or self.udp or 0


class Inner(Model):
    """The innermost IP header of an encapsulated packet."""

    source: Address | None = None
    destination: Address | None = None
    hop_limit: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    protocol: str | None = None


SegmentList = Annotated[tuple[V6Address, ...], Field(max_length=64)]
SegmentsLeft = Annotated[int, Field(strict=True, ge=0, le=127)]


class Middle(Inner):
    """The second of three IP headers: the tunnel within the tunnel."""

    segment_list: SegmentList | None = None
    segments_left: SegmentsLeft | None = None


class PacketExpectation(Model):
    """What a probe's packets look like at one point in one direction.

    `source`, `destination`, `hop_limit`, `next_header`, `protocol` and `length` are the outermost IP header's:
    `next_header` is what follows it at once, `protocol` what follows all of its extension headers, `length`
    counts the bytes of the whole IP packet. `segment_list` is in wire order (RFC 8754 section 2): index 0 is
    the last segment; an empty list says that there is no SRH. `count` defaults to one for each packet of the
    probe. `share` is that of the probe's flows which come here so: how many they are must be likely by it.
    """

    at: PointText
    direction: Literal["in", "out"]
    probe: Name
    source: Address | None = None
    destination: Address | None = None
    hop_limit: Annotated[int, Field(strict=True, ge=0, le=255)] | None = None
    next_header: str | None = None
    protocol: str | None = None
    length: Annotated[int, Field(strict=True, ge=20, le=65575)] | None = None
    segment_list: SegmentList | None = None
    segments_left: SegmentsLeft | None = None
    oam: bool | None = None
    middle: Middle | None = None
    inner: Inner | None = None
    count: Annotated[int, Field(strict=True, ge=1)] | None = None
    share: Share | None = None
    absent: bool = False


class SteeringAction(Model):
    """Replace the headend's policy for a prefix; taken back, the lab's own policy stands again."""

    steering: Steering


class InnerMatch(Model):
    """The inner IPv4 header behind an SRH, matched by its bytes."""

    source: V4Network | None = None
    destination: V4Network | None = None
    protocol: Literal["icmp", "tcp", "udp"] | None = None


class Firewall(Model):
    """One rule that drops (or with `verdict: accept` only counts), and the counter that it keeps.

    `tool: iptables` sees plain IPv4 in `chain`, `ip6tables` the first header of IPv6 and what comes behind its
    extension headers; `nftables` looks behind the SRH of an IPv6 packet for an `inner` IPv4 header.
    """

    name: Name
    at: PlaceText
    tool: Literal["iptables", "ip6tables", "nftables"]
    chain: Literal["INPUT", "FORWARD"] = "FORWARD"
    source: Network | None = None
    destination: Network | None = None
    protocol: Literal["icmp", "icmpv6", "tcp", "udp"] | None = None
    inner: InnerMatch | None = None
    verdict: Literal["drop", "accept"] = "drop"

    @property
    def node(self) -> str:
        return self.at.partition("/")[0]

    @property
    def netns(self) -> str:
        return self.at.partition("/")[2]


class FirewallAction(Model):
    """Put a rule in; taken back, it is gone."""

    firewall: Firewall


class Withdrawal(Model):
    """A node whose locator FRR no longer has."""

    node: Name


class WithdrawAction(Model):
    """Take a node's locator away from its routing protocols; taken back, it is announced again. What follows
    is waited for both times."""

    withdraw: Withdrawal


class Cut(Model):
    """A link by its name."""

    link: Name


class CutAction(Model):
    """Let nothing through a link, and tell nobody: its NICs stay up. Taken back, it carries packets again."""

    cut: Cut


Action = SteeringAction | FirewallAction | WithdrawAction | CutAction


class Step(Model):
    """A part of an exercise: what is changed for its probes only. `across` is sent while it is changed."""

    apply: tuple[Action, ...] = ()
    across: Probe | None = None
    probes: Annotated[tuple[Probe, ...], Field(min_length=1)]

    def every_probe(self) -> tuple[Probe, ...]:
        return (*([self.across] if self.across else []), *self.probes)


class TunnelExpectation(Model):
    """The outer addresses of a packet whose inner one raised an alert."""

    source: V6Address | None = None
    destination: V6Address | None = None


class AlertExpectation(Model):
    """An alert of a service. Without `count` at least one, with `absent: true` none at all."""

    service: Name
    signature: Annotated[int, Field(strict=True, ge=1)]
    source: Address | None = None
    destination: Address | None = None
    tunnel: TunnelExpectation | None = None
    count: Annotated[int, Field(strict=True, ge=1)] | None = None
    absent: bool = False


class CounterExpectation(Model):
    """Packets that a firewall's rule or a local SID of a proxy counted during the exercise."""

    firewall: Name | None = None
    sid: V6Address | None = None
    packets: Annotated[int, Field(strict=True, ge=0)]


class LossExpectation(Model):
    """How many echo requests of a probe may stay without an answer."""

    probe: Name
    most: Annotated[int, Field(strict=True, ge=0)]


class Expect(Model):
    """The author's word, written by hand. `elsewhere: absent` says that the probes' packets are
    seen at no other point than those listed."""

    packets: tuple[PacketExpectation, ...] = ()
    elsewhere: Literal["absent", "any"] = "any"
    alerts: tuple[AlertExpectation, ...] = ()
    counters: tuple[CounterExpectation, ...] = ()
    losses: tuple[LossExpectation, ...] = ()
    control: tuple[ControlExpectation, ...] = ()


class Exercise(Model):
    """One thing to do in the lab and what it must show.

    `apply` holds for the whole exercise. `probes` are sent first, then the steps one after the
    other; what a step applies is taken back at its end. `since: up` looks at all that was captured since the lab
    came up: routing protocols say most at the beginning.
    """

    name: Name
    description: Line = ""
    since: Literal["exercise", "up"] = "exercise"
    apply: tuple[Action, ...] = ()
    probes: tuple[Probe, ...] = ()
    steps: tuple[Step, ...] = ()
    expect: Expect

    def every_probe(self) -> tuple[Probe, ...]:
        """In the order in which they are sent."""
        return self.probes + tuple(probe for step in self.steps for probe in step.every_probe())

    def every_action(self) -> tuple[Action, ...]:
        return self.apply + tuple(action for step in self.steps for action in step.apply)


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


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `topology.yml`, for editors; lists stand for tuples, as YAML has them."""
    schema = Topology.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "srv6lab topology"
    short = {"type": "string", "pattern": f"^{_ENDPOINT_TEXT}$"}
    endpoints = schema["$defs"]["Link"]["properties"]["endpoints"]
    endpoints["items"] = {"anyOf": [endpoints["items"], short]}
    return schema
