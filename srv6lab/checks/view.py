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
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from srv6lab.srv6.csid import NextCsid
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.topology import (
    Address,
    AlertExpectation,
    ControlExpectation,
    CounterExpectation,
    Endpoint,
    Firewall,
    Group,
    Link,
    LocalSid,
    LossExpectation,
    Network,
    Node,
    PacketExpectation,
    Probe,
    Service,
    SrPolicy,
    Steering,
    Topology,
)

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Item(Generic[M]):
    """A sound part and its path; not `whole` if keys that the model doesn't know were left out."""

    path: Path
    value: M
    whole: bool = True


@dataclass(frozen=True, slots=True)
class ExerciseView:
    """An exercise whose probes and expectations are sound one by one."""

    path: Path
    name: str | None
    probes: tuple[Item[Probe], ...]
    packets: tuple[Item[PacketExpectation], ...]
    probe_ids: frozenset[str]
    probes_known: bool
    expects: bool
    alerts: tuple[Item[AlertExpectation], ...]
    counters: tuple[Item[CounterExpectation], ...]
    losses: tuple[Item[LossExpectation], ...]
    control: tuple[Item[ControlExpectation], ...]
    heard: bool
    firewalls: tuple[Item[Firewall], ...]
    firewall_names: frozenset[str]
    firewalls_known: bool


@dataclass(frozen=True, slots=True)
class SegmentList:
    """Segments in visiting order, and what they are pushed onto, with its IP version."""

    path: Path
    segments: tuple[IPv6Address, ...]
    onto: str
    version: int


@dataclass(frozen=True, slots=True)
class Nic:
    """A NIC of a sound link, as its node sees it."""

    path: Path
    endpoint: Endpoint
    link: Link


@dataclass(frozen=True)
class View:
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
    applied: tuple[Item[Steering], ...]
    withdrawn: tuple[tuple[Path, str], ...]
    cuts: tuple[tuple[Path, str], ...]
    service_names: frozenset[str]
    services: dict[str, Service]
    exercises: tuple[ExerciseView, ...]
    unsound_nics: frozenset[str]
    links_known: bool
    unsound_sids: frozenset[IPv6Address]
    sids_known: bool

    @cached_property
    def nics(self) -> dict[str, list[Nic]]:
        """The NICs of each node that sound links give it."""
        found: dict[str, list[Nic]] = {}
        for item in self.links:
            for index, endpoint in enumerate(item.value.endpoints):
                nic = Nic((*item.path, "endpoints", index), endpoint, item.value)
                found.setdefault(endpoint.node, []).append(nic)
        return found

    @property
    def services_sound(self) -> bool:
        """Whether all that services say of namespaces and ports can be read."""
        return len(self.services) == len(self.service_names) and not any(
            path[0] == "services" for path in self.cut if path
        )

    @property
    def policies(self) -> tuple[Item[Steering], ...]:
        """The lab's own steering and what its exercises apply."""
        return self.steering + self.applied

    @cached_property
    def segment_lists(self) -> tuple[SegmentList, ...]:
        """Every list of segments that something pushes: headends, binding SIDs."""
        steered = [
            SegmentList((*item.path, "to", "segments"), item.value.segments, str(prefix), prefix.version)
            for item in self.policies
            for prefix in (item.value.match.prefix,)
            if item.value.segments
        ]
        bound = [
            SegmentList(
                (*item.path, "policy", "segments"), item.value.policy.segments, "what it is pushed onto", 6
            )
            for item in self.local_sids
            if item.value.policy is not None
        ]
        return (*steered, *bound)

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
        taker = next((one for one in self._carried if last in one.value.prefix), None)
        return self.owners.get(last, taker), last

    def stations(self, segment: IPv6Address) -> list[IPv6Address]:
        """The destinations of a packet on the way to a segment: several for a carrier."""
        found = [segment]
        while found[-1] not in self.owners and any(found[-1] in one.value.prefix for one in self._carried):
            if not NextCsid().argument(found[-1]):
                break
            found.append(NextCsid().moved_up(found[-1]))
        return found

    @cached_property
    def _carried(self) -> tuple[Item[LocalSid], ...]:
        return tuple(item for item in self.local_sids if NEXT_CSID in item.value.flavors)

    @cached_property
    def places(self) -> dict[str, set[str]]:
        """The NICs of services: those in `node/netns`, and those that their node gets."""
        found: dict[str, set[str]] = {}
        for service in self.services.values():
            place = f"{service.node}/{service.netns}" if service.netns else service.node
            found.setdefault(place, set()).update(port.inside for port in service.ports)
            found.setdefault(service.node, set()).update(port.outside for port in service.ports)
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
        loops = any(one.node == two.node for one, two in (item.value.endpoints for item in self.links))
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
    def _prefixes(self) -> dict[str, dict[int, set[Network]]]:
        """The prefixes on each node's links by their length: a hub has as many routes as links."""
        found: dict[str, dict[int, set[Network]]] = {}
        for node, nics in self.nics.items():
            for nic in nics:
                by_length = found.setdefault(node, {})
                by_length.setdefault(nic.link.prefix.prefixlen, set()).add(nic.link.prefix)
        return found

    def on_link(self, node: str, address: Address) -> bool:
        """Whether a node reaches an address without a router."""
        lengths = self._prefixes.get(node, {})
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
                if nic.endpoint.address is not None:
                    place = ((*nic.path, "address"), node)
                    found.setdefault(nic.endpoint.address, []).append(place)
        for name, one in self.nodes.items():
            if one.loopback is not None:
                found.setdefault(one.loopback.ip, []).append((("nodes", name, "loopback"), name))
        return found

    @cached_property
    def owners(self) -> dict[IPv6Address, Item[LocalSid]]:
        """The first local SID of each address; the binding SIDs of SR policies are local SIDs of their headends."""
        found: dict[IPv6Address, Item[LocalSid]] = {}
        for item in self.local_sids:
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


def view_of(
    data: dict[str, Any],
    topology: Topology | None,
    cut: frozenset[Path] = frozenset(),
    lost: frozenset[str] = frozenset(),
) -> View:
    """The view of a file.

    `topology` if all of it is sound, `cut` the parts that have lost unknown keys, `lost` the lists that
    have lost items to another list.
    """
    links = _items(Link, data, ("links",), topology.links if topology else None, cut)
    sids = _items(LocalSid, data, ("local_sids",), topology.local_sids if topology else None, cut)
    policies = _items(SrPolicy, data, ("policies",), topology.policies if topology else None, cut)
    nics, links_known = _unsound_nics(data, links)
    unsound, sids_known = _unsound_sids(data, sids)
    names = _names(data, "nodes")
    return View(
        name=data["name"] if isinstance(data.get("name"), str) else None,
        cut=cut,
        node_names=names,
        nodes_known=bool(names),
        nodes=topology.nodes if topology else _mapped(Node, data.get("nodes")),
        groups=topology.groups if topology else _mapped(Group, data.get("groups")),
        links=links,
        local_sids=sids,
        sr_policies=policies,
        policies_known=len(policies) == len(raw_list(data, "policies")) and "policies" not in lost,
        steering=_items(Steering, data, ("steering",), topology.steering if topology else None, cut),
        exercises=_exercises(data, topology, cut),
        applied=_applied(data),
        withdrawn=tuple(_withdrawn(data)),
        cuts=tuple(_cuts(data)),
        service_names=_names(data, "services"),
        services=topology.services if topology else _mapped(Service, data.get("services")),
        unsound_nics=nics,
        links_known=links_known and "links" not in lost,
        unsound_sids=unsound,
        sids_known=sids_known and "local_sids" not in lost,
    )


def raw_list(data: Any, *keys: str) -> list[Any]:
    """A list below some keys of unsound data, or nothing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, list) else []


def _sound(model: type[M], raw: Any) -> M | None:
    try:
        return model.model_validate(raw)
    except ValidationError:
        return None


def _names(data: dict[str, Any], key: str) -> frozenset[str]:
    return frozenset(data[key]) if isinstance(data.get(key), dict) else frozenset()


def _mapped(model: type[M], raw: Any) -> dict[str, M]:
    pairs = raw.items() if isinstance(raw, dict) else ()
    return {name: value for name, one in pairs if (value := _sound(model, one)) is not None}


def _applied(data: dict[str, Any]) -> tuple[Item[Steering], ...]:
    """The steering that exercises and their steps apply."""
    found: list[Item[Steering]] = []
    for path, part in _parts(data):
        for index, action in enumerate(raw_list(part, "apply")):
            raw = action.get("steering") if isinstance(action, dict) else None
            if raw is not None and (steering := _sound(Steering, raw)) is not None:
                found.append(Item((*path, "apply", index, "steering"), steering))
    return tuple(found)


def _cuts(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The links that exercises and their steps cut."""
    for path, part in _parts(data):
        for index, action in enumerate(raw_list(part, "apply")):
            raw = action.get("cut") if isinstance(action, dict) else None
            if isinstance(link := raw.get("link") if isinstance(raw, dict) else None, str):
                yield (*path, "apply", index, "cut", "link"), link


def _withdrawn(data: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """The nodes whose locators exercises and their steps withdraw."""
    for path, part in _parts(data):
        for index, action in enumerate(raw_list(part, "apply")):
            raw = action.get("withdraw") if isinstance(action, dict) else None
            if isinstance(node := raw.get("node") if isinstance(raw, dict) else None, str):
                yield (*path, "apply", index, "withdraw"), node


def _parts(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Each exercise and each step of one, raw."""
    for index, exercise in enumerate(raw_list(data, "exercises")):
        yield ("exercises", index), exercise
        for number, step in enumerate(raw_list(exercise, "steps")):
            yield ("exercises", index, "steps", number), step


def _items(
    model: type[M], data: Any, keys: Path, ready: tuple[M, ...] | None, cut: frozenset[Path], base: Path = ()
) -> tuple[Item[M], ...]:
    """The sound items of a list with their paths; `ready` spares validating what is already known."""
    values = ready if ready is not None else [_sound(model, one) for one in raw_list(data, *map(str, keys))]
    path = (*base, *keys)
    return tuple(
        Item((*path, index), value, (*path, index) not in cut)
        for index, value in enumerate(values)
        if value is not None
    )


def _lost(raw: list[Any], sound: tuple[Item[M], ...]) -> list[Any]:
    kept = {item.path[-1] for item in sound}
    return [one for index, one in enumerate(raw) if index not in kept]


def _unsound_nics(data: Any, links: tuple[Item[Link], ...]) -> tuple[frozenset[str], bool]:
    """The ends of unsound links as far as they can be read, and whether all could."""
    found: set[str] = set()
    known = "links" not in data or isinstance(data["links"], list)
    for raw in _lost(raw_list(data, "links"), links):
        ends = [one.get("at") if isinstance(one, dict) else one for one in raw_list(raw, "endpoints")]
        readable = [end for end in ends if isinstance(end, str)]
        found.update(readable)
        known = known and len(readable) >= 2
    return frozenset(found), known


def _unsound_sids(data: Any, sids: tuple[Item[LocalSid], ...]) -> tuple[frozenset[IPv6Address], bool]:
    found: set[IPv6Address] = set()
    known = "local_sids" not in data or isinstance(data["local_sids"], list)
    for raw in _lost(raw_list(data, "local_sids"), sids):
        text = raw.get("sid") if isinstance(raw, dict) else None
        try:
            address = ip_address(text) if isinstance(text, str) else None
        except ValueError:
            address = None
        if isinstance(address, IPv6Address):
            found.add(address)
        else:
            known = False
    return frozenset(found), known


def _exercises(data: Any, topology: Topology | None, cut: frozenset[Path]) -> tuple[ExerciseView, ...]:
    raw = raw_list(data, "exercises")
    return tuple(_exercise(one, index, topology, cut) for index, one in enumerate(raw))


def _exercise(raw: Any, index: int, topology: Topology | None, cut: frozenset[Path]) -> ExerciseView:
    path: Path = ("exercises", index)
    whole = topology.exercises[index] if topology else None
    probes = _items(Probe, raw, ("probes",), whole.probes if whole else None, cut, path)
    for number, step in enumerate(raw_list(raw, "steps")):
        probes += _items(Probe, step, ("probes",), None, cut, (*path, "steps", number))
        across = step.get("across") if isinstance(step, dict) else None
        place = (*path, "steps", number, "across")
        if across is not None and (probe := _sound(Probe, across)) is not None:
            probes += (Item(place, probe, place not in cut),)
    expect = whole.expect if whole else None
    name = raw.get("name") if isinstance(raw, dict) else None
    ids, known = _probe_ids(raw)
    firewalls, firewall_names, firewalls_known = _firewalls(raw, path, cut)

    def expected(model: type[M], key: str) -> tuple[Item[M], ...]:
        return _items(model, raw, ("expect", key), getattr(expect, key) if expect else None, cut, path)

    return ExerciseView(
        path=path,
        name=name if isinstance(name, str) else None,
        probes=probes,
        packets=expected(PacketExpectation, "packets"),
        probe_ids=ids,
        probes_known=known,
        expects=_expects(raw),
        alerts=expected(AlertExpectation, "alerts"),
        counters=expected(CounterExpectation, "counters"),
        losses=expected(LossExpectation, "losses"),
        control=expected(ControlExpectation, "control"),
        heard=bool(raw_list(raw, "expect", "control")),
        firewalls=firewalls,
        firewall_names=firewall_names,
        firewalls_known=firewalls_known,
    )


def _firewalls(
    exercise: Any, base: Path, cut: frozenset[Path]
) -> tuple[tuple[Item[Firewall], ...], frozenset[str], bool]:
    """The sound firewalls that an exercise and its steps put in, the names of all, and whether those
    can be read."""
    found: list[Item[Firewall]] = []
    names: set[str] = set()
    known = True
    parts = [(base, exercise)]
    parts += [((*base, "steps", i), step) for i, step in enumerate(raw_list(exercise, "steps"))]
    for path, part in parts:
        for index, action in enumerate(raw_list(part, "apply")):
            keys = set(action) if isinstance(action, dict) else set()
            raw = action["firewall"] if "firewall" in keys else None
            name = raw.get("name") if isinstance(raw, dict) else None
            known = known and (keys in ({"steering"}, {"withdraw"}, {"cut"}) or isinstance(name, str))
            names |= {name} if isinstance(name, str) else set()
            place = (*path, "apply", index, "firewall")
            if (firewall := _sound(Firewall, raw) if raw is not None else None) is not None:
                found.append(Item(place, firewall, place not in cut))
    return tuple(found), frozenset(names), known


def _probe_ids(raw: Any) -> tuple[frozenset[str], bool]:
    parts = [raw, *raw_list(raw, "steps")]
    probes = [probe for part in parts for probe in raw_list(part, "probes")]
    probes += [part["across"] for part in parts if isinstance(part, dict) and "across" in part]
    ids = [one.get("id") for one in probes if isinstance(one, dict)]
    texts = frozenset(one for one in ids if isinstance(one, str))
    return texts, len(probes) == len([one for one in ids if isinstance(one, str)])


def _expects(raw: Any) -> bool:
    """Whether the exercise can fail at all: any key of `expect` says something, but not `elsewhere: any`."""
    expect = raw.get("expect") if isinstance(raw, dict) else None
    if not isinstance(expect, dict):
        return True
    return any(value for key, value in expect.items() if (key, value) != ("elsewhere", "any"))
