"""What the agent of a headend is told: SR policies, what is steered into them, and an SR database, from the topology.

The database holds what is planned: the agent learns from its own links and probes what of it is up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_network
from itertools import permutations
from typing import Any

from srv6lab.srv6.policy.binding_sid import SidSpace
from srv6lab.srv6.policy.identity import CandidateId, Originator, PolicyId, ProtocolOrigin
from srv6lab.srv6.policy.paths import (
    CandidatePath,
    Check,
    Composite,
    Constituent,
    Dynamic,
    Explicit,
    Metric,
    Path,
    Policy,
    SegmentList,
)
from srv6lab.srv6.policy.routes import ColorSteering
from srv6lab.srv6.policy.segments import SidSegment
from srv6lab.srv6.policy.sr_db import KnownSid, Node, SrDb
from srv6lab.srv6.policy.sr_db import Link as Adjacency
from srv6lab.srv6.policy.steering import Color
from srv6lab.srv6.policy.written import write_db, write_policy, write_steering
from srv6lab.topology import sr_policy as written
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Link, Topology
from srv6lab.topology.scalars import Address
from srv6lab.topology.sr_policy import ColorTarget, Flow
from srv6lab.topology.steering import Steering

EgressNic = Callable[[Address], str | None]


@dataclass(frozen=True, slots=True)
class PlannedHeadend:
    """A headend's policies with all that they are judged by; `interval` in seconds, `nics` by their addresses."""

    node: str
    address: IPv6Address
    nics: tuple[tuple[IPv6Address, str], ...]
    db: SrDb
    policies: tuple[Policy, ...]
    steered: tuple[ColorSteering, ...]
    flows: tuple[Flow, ...]
    taken: tuple[tuple[IPv6Address, str], ...]
    pool: tuple[IPv6Address, ...] = ()
    local_block: IPv6Network | None = None
    interval: float = 0.1
    misses: int = 3

    @property
    def space(self) -> SidSpace:
        return SidSpace(dict(self.taken), self.local_block, self.pool)

    @property
    def binding_sids(self) -> frozenset[IPv6Address]:
        """Those that its candidate paths specify, and those that it may give to the others."""
        paths = (one for policy in self.policies for one in policy.candidates)
        return frozenset({one.binding_sid for one in paths if one.binding_sid} | set(self.pool))

    def document(self, names: str) -> dict[str, Any]:
        """What `srv6lab.agent.config` reads; `names` is the node's file of what its NICs are called there."""
        block = {"local_block": str(self.local_block)} if self.local_block else {}
        return {
            "node": self.node,
            "address": str(self.address),
            "names": names,
            "nics": {str(address): name for address, name in self.nics},
            "interval": self.interval,
            "misses": self.misses,
            "db": write_db(self.db),
            "policies": [write_policy(policy) for policy in self.policies],
            "steering": [write_steering(one) for one in self.steered if one.colors],
            "arrays": [write_steering(one) for one in self.steered if one.classes],
            "flows": [flow.model_dump(mode="json", by_alias=True, exclude_none=True) for flow in self.flows],
            "binding_sids": {
                "taken": {str(sid): by for sid, by in self.taken},
                "pool": list(map(str, self.pool)),
                **block,
            },
        }


def plan_headend(topology: Topology, name: str, egress_nic: EgressNic) -> PlannedHeadend | None:
    """The headend of a node, None for a node without policies; `egress_nic` is the node's NIC towards an address."""
    node = topology.nodes[name]
    policies = [one for one in topology.policies if one.headend == name]
    if not policies or node.loopback is None:
        return None
    address = node.loopback.ip
    return PlannedHeadend(
        node=name,
        address=address,
        nics=tuple(_nics(topology.links, name)),
        db=sr_db(topology),
        policies=tuple(_policy(address, one) for one in policies),
        steered=tuple(_steered(topology, name, egress_nic)),
        flows=node.headend.flows,
        taken=tuple((one.sid, one.behavior) for one in topology.local_sids if one.node == name),
        pool=node.headend.binding_sids,
        local_block=node.headend.local_block,
        interval=node.headend.probe_interval / 1000,
        misses=node.headend.misses,
    )


def _nics(links: Sequence[Link], name: str) -> Iterator[tuple[IPv6Address, str]]:
    for link in links:
        for end, one in enumerate(link.endpoints):
            if one.node == name and isinstance(address := link.address(end, 6), IPv6Address):
                yield address, one.nic


# --- the SR database


def sr_db(topology: Topology) -> SrDb:
    """What every headend knows of nodes that forward, of their links and of their SIDs."""
    routers = {name: node for name, node in topology.nodes.items() if node.role != "host"}
    nodes = []
    for name, node in routers.items():
        loopback = ip_network(node.loopback.ip) if node.loopback else None
        nodes.append(Node(name, tuple(one for one in (node.locator, loopback) if one is not None)))
    links = tuple(
        one
        for link in topology.links
        for one in _adjacencies(link)
        if {one.node, one.neighbor} <= set(routers)
    )
    ends = {(link.node, link.remote): link for link in links}
    return SrDb(tuple(nodes), links, tuple(_known(one, ends) for one in topology.local_sids))


def _adjacencies(link: Link) -> Iterator[Adjacency]:
    """A cable is one in each direction, a bridge one for each two of its ends."""
    for here, there in permutations(range(len(link.endpoints)), 2):
        local, remote = link.address(here, 6), link.address(there, 6)
        if isinstance(local, IPv6Address) and isinstance(remote, IPv6Address):
            yield Adjacency(
                link.endpoints[here].node,
                link.endpoints[there].node,
                local,
                remote,
                igp_metric=_igp_metric(link, here),
                te_metric=link.te_metric,
                delay=link.delay,
                affinities=frozenset(link.affinities),
                srlgs=frozenset(link.srlgs),
            )


def _igp_metric(link: Link, end: int) -> int:
    """What it costs to leave by one end."""
    if link.isis:
        return link.isis.metric(end)
    return link.ospf6.cost_at(end) if link.ospf6 else link.igp_metric


def _known(one: LocalSid, ends: dict[tuple[str, Address], Adjacency]) -> KnownSid:
    over = ends.get((one.node, one.nh6)) if one.nh6 is not None and one.behavior == "End.X" else None
    return KnownSid(one.sid, one.node, one.behavior, link=over)


# --- policies


def _policy(headend: IPv6Address, one: written.SrPolicy) -> Policy:
    return Policy(
        PolicyId(headend, one.color, one.endpoint),
        tuple(_candidate(each) for each in one.candidate_paths),
        one.name,
        one.priority,
        one.keep_installed,
        one.specified_bsid_only,
        one.drop_upon_invalid,
    )


def candidate_id(one: written.CandidatePath) -> CandidateId:
    """What tells a candidate path from the others of its policy (RFC 9256 section 2.6)."""
    given = one.originator
    originator = Originator.of(given.as_number, given.node) if given else Originator()
    return CandidateId(ProtocolOrigin[one.origin.upper()], originator, one.discriminator)


def _candidate(one: written.CandidatePath) -> CandidatePath:
    return CandidatePath(
        _path(one),
        candidate_id(one),
        one.preference,
        one.binding_sid,
        one.priority,
        one.name,
        frozenset(Check[each.upper()] for each in one.checks),
    )


def _path(one: written.CandidatePath) -> Path:
    if one.composite:
        return Composite(tuple(Constituent(each.color, each.weight) for each in one.composite))
    if one.dynamic:
        given = one.dynamic
        return Dynamic(
            Metric(given.metric),
            frozenset(given.include_any),
            frozenset(given.include_all),
            frozenset(given.exclude_any),
            frozenset(given.exclude_srlgs),
        )
    lists = (SegmentList(tuple(map(SidSegment, each.segments)), each.weight) for each in one.segment_lists)
    return Explicit(tuple(lists))


# --- steering


def _steered(topology: Topology, name: str, egress_nic: EgressNic) -> Iterator[ColorSteering]:
    for one in topology.steering:
        if one.headend == name and isinstance(one.to, ColorTarget):
            colors = tuple(map(Color, one.to.colors))
            classes = tuple((entry.forwarding_class, entry.color) for entry in one.to.array)
            otherwise = tuple(_otherwise(topology, one, one.to, egress_nic))
            yield ColorSteering(
                one.prefix,
                one.to.endpoint,
                colors,
                classes,
                one.to.sid,
                one.mode,
                otherwise=otherwise,
            )


def _otherwise(topology: Topology, one: Steering, to: ColorTarget, egress_nic: EgressNic) -> Iterator[str]:
    """The node's own routes of the prefix, if it has any; else the path of the IGP to the service's SID."""
    routes = [
        route
        for route in topology.nodes[one.headend].routes
        if route.prefix == one.prefix and route.table is None and not route.type
    ]
    for route in routes:
        several = ("nexthop",) if len(routes) > 1 else ()
        weight = ("weight", str(route.weight)) if several else ()
        via = ("via", str(route.via)) if route.via else ()
        device = ("dev", route.nic) if route.nic else ()
        yield from (*several, *via, *device, *weight)
    if not routes and to.sid and (nic := egress_nic(to.sid)):
        yield from ("encap", "seg6", "mode", one.mode, "segs", str(to.sid), "dev", nic)
