"""The sound parts of a topology, each with its path, for the checks to judge.

A file with mistakes still has sound links and sound SIDs. What is unsound is known by name as far as
its text goes, so that nobody is told "no such node" about a node with a typo in its locator. Where
even the name is lost, a flag says that a list isn't the whole truth, and checks that need it are silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from ipaddress import IPv6Address, IPv6Network, ip_network
from typing import Generic, TypeVar

from pydantic import BaseModel

from srv6lab.srv6.behaviors import BEHAVIORS, Kind
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.firewall import Firewall, FirewallAction
from srv6lab.topology.actions.route import RouteAction
from srv6lab.topology.actions.sid import SidAction
from srv6lab.topology.actions.steering import SteeringAction
from srv6lab.topology.exercises import Probe
from srv6lab.topology.expectations import (
    AlertExpectation,
    ControlExpectation,
    CounterExpectation,
    PacketExpectation,
)
from srv6lab.topology.frr_sids import isis_sids
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import Endpoint, Group, Link, Node, Service
from srv6lab.topology.places import Place
from srv6lab.topology.questions import Question
from srv6lab.topology.route import Route
from srv6lab.topology.scalars import Address, Interface, Network
from srv6lab.topology.sr_policy import SrPolicy
from srv6lab.topology.steering import Steering

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)
N = TypeVar("N", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Item(Generic[M]):
    """A sound part and its path; not `whole` if keys that the model doesn't know were left out."""

    path: Path
    value: M
    whole: bool = True

    def at(self, key: str, part: N) -> Item[N]:
        """A part of it."""
        return Item((*self.path, key), part, self.whole)


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """An exercise whose probes and expectations are sound one by one."""

    path: Path
    name: str | None
    probes: tuple[Item[Probe], ...]
    packets: tuple[Item[PacketExpectation], ...]
    unreviewed: tuple[str, ...]
    probe_ids: frozenset[str]
    probes_known: bool
    expects: bool
    alerts: tuple[Item[AlertExpectation], ...]
    counters: tuple[Item[CounterExpectation], ...]
    control: tuple[Item[ControlExpectation], ...]
    heard: bool
    actions: tuple[Item[Action], ...]
    actions_known: bool
    questions: tuple[Item[Question], ...] = ()

    @property
    def firewalls(self) -> tuple[Item[Firewall], ...]:
        """What it and its steps put in."""
        found = ((item, item.value) for item in self.actions)
        return tuple(
            item.at("firewall", one.firewall) for item, one in found if isinstance(one, FirewallAction)
        )


@dataclass(frozen=True, slots=True)
class SegmentList:
    """Segments in visiting order, and what they are pushed onto: IPv4, IPv6 or Ethernet; or `inserted` into."""

    path: Path
    segments: tuple[IPv6Address, ...]
    onto: str
    kind: Kind
    inserted: bool = False


def _onto(steering: Steering) -> tuple[str, Kind]:
    if steering.of_frames:
        return f"what comes in by {steering.match.nic}", "Ethernet"
    return str(steering.prefix), "IPv4" if steering.prefix.version == 4 else "IPv6"


def _held(sid: LocalSid) -> Kind:
    """What a SID pushes its policy onto: IPv6 packets, or what its proxy takes back from a service."""
    behavior = BEHAVIORS.get(sid.behavior)
    return behavior.takes[0] if behavior is not None and behavior.takes else "IPv6"


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC of a sound link, as its node sees it."""

    path: Path
    endpoint: Endpoint
    link: Link

    @property
    def mtu(self) -> int:
        return self.endpoint.mtu or self.link.mtu

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Its addresses with their lengths, of prefixes that have room for two."""
        end = next(index for index, one in enumerate(self.link.endpoints) if one is self.endpoint)
        roomy = all(prefix.num_addresses > 1 for prefix in self.link.prefixes)
        return self.link.interfaces(end) if roomy else ()

    @property
    def vrf(self) -> str:
        """The VRF that it is in, "" for none."""
        return self.endpoint.vrf or ""


@dataclass(frozen=True, eq=False)
class Facts:
    """What the checks may look at; `cut` are the parts that have lost unknown keys."""

    name: str | None
    cut: frozenset[Path]
    node_names: frozenset[str]
    nodes_known: bool
    nodes: dict[str, Node]
    groups: dict[str, Group]
    links: tuple[Item[Link], ...]
    local_sids: tuple[Item[LocalSid], ...]
    sr_policies: tuple[Item[SrPolicy], ...]
    policies_known: bool
    steering: tuple[Item[Steering], ...]
    service_names: frozenset[str]
    services: dict[str, Service]
    exercises: tuple[ExerciseView, ...]
    unsound_nics: frozenset[str]
    links_known: bool
    unsound_sids: frozenset[IPv6Address]
    sids_known: bool
    external: tuple[IPv6Network, ...] = ()

    def outside(self, segment: IPv6Address) -> bool:
        """Whether a segment is declared to be of nodes that aren't in the lab."""
        return any(segment in prefix for prefix in self.external)

    def locator_at(self, name: str) -> Path:
        """Where a node's locator stands: under `locator`, or the first of `locators`."""
        node = self.nodes[name]
        first = next((key for key, one in node.locators.items() if one.prefix == node.locator), "")
        return ("nodes", name, "locators", first, "prefix") if first else ("nodes", name, "locator")

    @cached_property
    def nics(self) -> dict[str, list[Nic]]:
        """The NICs of each node that sound links give it."""
        found: dict[str, list[Nic]] = {}
        for item in self.links:
            for index, endpoint in enumerate(item.value.endpoints):
                nic = Nic((*item.path, "endpoints", index), endpoint, item.value)
                found.setdefault(endpoint.node, []).append(nic)
        return found

    @cached_property
    def of_frames(self) -> frozenset[str]:
        """The links with an end whose frames go into SRv6 whole, or come out of it."""
        ends = {(one.headend, one.match.nic) for item in self.policies if (one := item.value).of_frames}
        ends |= {(item.value.node, item.value.nic) for item in self.local_sids if item.value.nic}
        nics = (nic for nics in self.nics.values() for nic in nics)
        return frozenset(nic.link.name for nic in nics if (nic.endpoint.node, nic.endpoint.nic) in ends)

    @property
    def services_sound(self) -> bool:
        """Whether all that services say of namespaces and ports can be read."""
        return len(self.services) == len(self.service_names) and not any(
            path[0] == "services" for path in self.cut if path
        )

    @property
    def named_files(self) -> Iterator[tuple[Path, str]]:
        """The files beside the topology that it names, each with its place."""
        yield from ((("services", name, "rules"), one.rules) for name, one in self.services.items())
        for name, node in self.nodes.items():
            for index, file in enumerate(node.files):
                if file.source:
                    yield ("nodes", name, "files", index, "source"), file.source
            if node.frr and node.frr.file:
                yield ("nodes", name, "frr", "file"), node.frr.file

    @property
    def actions(self) -> tuple[Item[Action], ...]:
        """What exercises and their steps apply."""
        return tuple(item for exercise in self.exercises for item in exercise.actions)

    @cached_property
    def added_sids(self) -> tuple[Item[LocalSid], ...]:
        """The local SIDs that exercises add."""
        found = ((item, item.value.sid.add) for item in self.actions if isinstance(item.value, SidAction))
        return tuple(
            Item((*item.path, "sid", "add"), sid, self._whole(item, "sid", "add"))
            for item, sid in found
            if sid
        )

    @property
    def every_sid(self) -> tuple[Item[LocalSid], ...]:
        """The lab's own local SIDs, and those that its exercises add."""
        return self.local_sids + self.added_sids

    @cached_property
    def frr_sids(self) -> tuple[Item[LocalSid], ...]:
        """The SIDs that IS-IS binds, each with the place of its node."""
        return tuple(Item(("nodes", one.node), one) for one in isis_sids(self.nodes))

    @cached_property
    def every_route(self) -> tuple[tuple[Path, str, Route], ...]:
        """The static routes of nodes, and those that exercises put in, each with its place and its node."""
        own = [
            (("nodes", name, "routes", index), name, route)
            for name, node in self.nodes.items()
            for index, route in enumerate(node.routes)
        ]
        put = [
            ((*item.path, "route", key), route.node, route)
            for item in self.actions
            if isinstance(item.value, RouteAction)
            for key in ("add", "replace")
            if (route := getattr(item.value.route, key)) and route.node in self.nodes
        ]
        return (*own, *put)

    def _whole(self, item: Item[Action], *keys: str) -> bool:
        return item.whole and (*item.path, *keys) not in self.cut

    @property
    def applied(self) -> tuple[Item[Steering], ...]:
        """The steering that is applied."""
        found = ((item, item.value) for item in self.actions)
        return tuple(
            item.at("steering", one.steering) for item, one in found if isinstance(one, SteeringAction)
        )

    @property
    def policies(self) -> tuple[Item[Steering], ...]:
        """The lab's own steering and what its exercises apply."""
        return self.steering + self.applied

    @cached_property
    def segment_lists(self) -> tuple[SegmentList, ...]:
        """Every list of segments that something pushes: headends, binding SIDs."""
        steered = [
            SegmentList(
                (*item.path, "to", *place, "segments"),
                one.segments,
                *_onto(item.value),
                item.value.mode == "inline",
            )
            for item in self.policies
            if item.value.of_frames or item.value.match.prefix
            for place, one in item.value.lists
        ]
        bound = [
            SegmentList(
                (*item.path, "policy", "segments"),
                item.value.policy.segments,
                "what it is pushed onto",
                _held(item.value),
            )
            for item in self.every_sid
            if item.value.policy is not None
        ]
        routed = [
            SegmentList(
                (*path, "segments"),
                route.segments,
                str(route.prefix),
                "IPv4" if route.prefix.version == 4 else "IPv6",
            )
            for path, _, route in self.every_route
            if route.segments
        ]
        return (*steered, *bound, *routed)

    @cached_property
    def weighted_lists(self) -> tuple[tuple[Path, tuple[IPv6Address, ...]], ...]:
        """The segment lists of SR policies, each with its place: what comes behind them is the steering's."""
        return tuple(
            ((*item.path, "candidate_paths", number, "segment_lists", index, "segments"), one.segments)
            for item in self.sr_policies
            for number, candidate in enumerate(item.value.candidate_paths)
            for index, one in enumerate(candidate.segment_lists)
        )

    def owner(self, segment: IPv6Address) -> tuple[Item[LocalSid] | None, IPv6Address]:
        """The local SID at the end of a segment, and the address that came there: that of a carrier
        has been moved up over the SIDs before (RFC 9800 section 4.1)."""
        last = self.stations(segment)[-1]
        return self.owners.get(last, self._taker(last)), last

    def stations(self, segment: IPv6Address) -> list[IPv6Address]:
        """The destinations of a packet on the way to a segment: several for a carrier."""
        found = [segment]
        while found[-1] not in self.owners and (taker := self._taker(found[-1])):
            if (csid := taker.value.csid) is None or not csid.argument(found[-1]):
                break
            found.append(csid.moved_up(found[-1]))
        return found

    def _taker(self, address: IPv6Address) -> Item[LocalSid] | None:
        """The SID with NEXT-CSID that takes a destination: of several the longest."""
        takers = [one for one in self._carried if address in one.value.prefix]
        return max(takers, key=lambda one: one.value.prefix.prefixlen, default=None)

    @cached_property
    def _carried(self) -> tuple[Item[LocalSid], ...]:
        every = (*self.every_sid, *self.frr_sids)
        return tuple(item for item in every if NEXT_CSID in item.value.flavors or item.value.by)

    @cached_property
    def places(self) -> dict[Place, set[str]]:
        """The NICs of services: those in their namespace, and those that their node gets."""
        found: dict[Place, set[str]] = {}
        for service in self.services.values():
            place = Place(service.node, service.netns or "")
            found.setdefault(place, set()).update(port.inside for port in service.ports)
            found.setdefault(Place(service.node), set()).update(port.outside for port in service.ports)
        return found

    @cached_property
    def points(self) -> frozenset[str]:
        """Every `node:nic` that a link names or may have meant, be the link sound or not."""
        named = {nic.endpoint.at for nics in self.nics.values() for nic in nics}
        return self.unsound_nics.union(named, self._meant)

    @cached_property
    def _meant(self) -> frozenset[str]:
        """The ends that links with a misspelled node may have meant; the node's name has its problem."""
        strays = [nic.endpoint for node, nics in self.nics.items() if not self.knows(node) for nic in nics]
        meant = {
            f"{name}:{stray.nic}"
            for stray in strays
            for name in get_close_matches(stray.node, self.node_names, 2) or ["?"]
        }
        ends = [item.value.endpoints for item in self.links]
        loops = any(len({one.node for one in link}) < len(link) for link in ends)
        return frozenset(meant | {"?:"} if loops else meant)

    @cached_property
    def _unclear(self) -> frozenset[str]:
        """Nodes on whose links the last word isn't spoken."""
        twice = {
            node for node, nics in self.nics.items() if len({one.endpoint.at for one in nics}) < len(nics)
        }
        return frozenset(at.partition(":")[0] for at in self.unsound_nics | self._meant) | twice

    def knows(self, node: str) -> bool:
        """Whether there is such a node, as far as anyone can say."""
        return node in self.node_names or not self.nodes_known

    def clear(self, node: str) -> bool:
        """Whether all links of a node are sound, so that "not on a link of it" can be said."""
        return self.links_known and node not in self._unclear and "?" not in self._unclear

    @cached_property
    def _prefixes(self) -> dict[tuple[str, str], dict[int, set[Network]]]:
        """The prefixes on the links of each VRF of each node by their length: a hub has as many routes as links."""
        found: dict[tuple[str, str], dict[int, set[Network]]] = {}
        for node, nics in self.nics.items():
            for nic in nics:
                by_length = found.setdefault((node, nic.vrf), {})
                for prefix in nic.link.prefixes:
                    by_length.setdefault(prefix.prefixlen, set()).add(prefix)
        return found

    def on_link(self, node: str, address: Address, vrf: str = "") -> bool:
        """Whether a node reaches an address without a router, by its NICs outside of VRFs or by those of one."""
        lengths = self._prefixes.get((node, vrf), {})
        return any(
            ip_network((address, length), strict=False) in prefixes
            for length, prefixes in lengths.items()
            if length <= address.max_prefixlen
        )

    @cached_property
    def addresses(self) -> dict[Address, list[tuple[Path, str]]]:
        """Every address that the author gives to a node: where, and whose it is."""
        found: dict[Address, list[tuple[Path, str]]] = {}
        for node, nics in self.nics.items():
            for nic in nics:
                for index, address in enumerate(nic.endpoint.addresses):
                    if not address.is_link_local:  # those are a link's own affair
                        place = ((*nic.path, "address", index), node)
                        found.setdefault(address, []).append(place)
        for name, one in self.nodes.items():
            for index, loopback in enumerate(one.loopbacks):
                found.setdefault(loopback.ip, []).append((("nodes", name, "loopback", index), name))
        return found

    @cached_property
    def owners(self) -> dict[IPv6Address, Item[LocalSid]]:
        """The first local SID of each address; the binding SIDs of SR policies are local SIDs of their headends."""
        found: dict[IPv6Address, Item[LocalSid]] = {}
        for item in (*self.every_sid, *self.frr_sids):
            found.setdefault(item.value.sid, item)
        for path, node, sid in self.binding_sids:
            bound = LocalSid(node=node, sid=sid, behavior="End.B6.Encaps")
            found.setdefault(sid, Item(path, bound))
        return found

    @cached_property
    def binding_sids(self) -> tuple[tuple[Path, str, IPv6Address], ...]:
        """Every binding SID that a candidate path specifies: where, at which headend."""
        return tuple(
            ((*item.path, "candidate_paths", number, "binding_sid"), item.value.headend, one.binding_sid)
            for item in self.sr_policies
            for number, one in enumerate(item.value.candidate_paths)
            if one.binding_sid is not None
        )
