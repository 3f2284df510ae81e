"""From what the author wrote to what every machine is told: a value, the same for the same file.

Here names become interfaces, MACs, capture files and next hops. Nothing is asked of a machine.
What can't be planned is a Problem at the place in the YAML that asked for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, IPv6Network, ip_interface, ip_network

from srv6lab.errors import Location, Problem, TopologyError
from srv6lab.srv6.behaviors import BEHAVIORS, Behavior
from srv6lab.topology import Address, Exercise, Link, LocalSid, Network, Node, Steering, Topology
from srv6lab.trace import Point

Interface = IPv4Interface | IPv6Interface
Path = tuple[str | int, ...]
Locate = Callable[[Path], Location]


@dataclass(frozen=True, slots=True)
class Nic:
    """One end of a link as its node sees it. `trace` is the capture file's name without `.pcap`."""

    point: Point
    mac: str
    mtu: int
    address: Interface
    trace: str
    link: str
    peer: Point

    @property
    def name(self) -> str:
        return self.point.nic


@dataclass(frozen=True, slots=True)
class PlannedRoute:
    prefix: Network
    via: Address
    nic: str


@dataclass(frozen=True, slots=True)
class PlannedSid:
    """A local SID with the NIC that its kernel route names."""

    sid: IPv6Address
    behavior: Behavior
    parameters: tuple[tuple[str, str], ...]
    nic: str


@dataclass(frozen=True, slots=True)
class PlannedPolicy:
    """Traffic to `prefix` gets an SRH with `segments`, first visited first, and leaves by `nic`."""

    prefix: Network
    segments: tuple[IPv6Address, ...]
    mode: str
    nic: str


@dataclass(frozen=True, slots=True)
class Machine:
    """All that one node needs to know."""

    name: str
    role: str
    nics: tuple[Nic, ...]
    loopback: IPv6Interface | None = None
    locator: IPv6Network | None = None
    routes: tuple[PlannedRoute, ...] = ()
    local_sids: tuple[PlannedSid, ...] = ()
    policies: tuple[PlannedPolicy, ...] = ()

    @property
    def forwards(self) -> bool:
        return self.role != "host"

    def nic(self, name: str) -> Nic:
        return next(nic for nic in self.nics if nic.name == name)


@dataclass(frozen=True, slots=True)
class Plan:
    """A lab, ready to be rendered, run and judged."""

    name: str
    description: str
    machines: tuple[Machine, ...]
    exercises: tuple[Exercise, ...]
    locate: Locate

    def machine(self, name: str) -> Machine:
        return next(machine for machine in self.machines if machine.name == name)

    def nics(self) -> Iterator[Nic]:
        for machine in self.machines:
            yield from machine.nics

    def exercise(self, name: str) -> tuple[int, Exercise]:
        """The exercise and its index in the file; KeyError if there is none."""
        for index, exercise in enumerate(self.exercises):
            if exercise.name == name:
                return index, exercise
        raise KeyError(name)


def mac_of(lab: str, point: Point) -> str:
    """A locally administered unicast MAC that depends on nothing but lab and point."""
    digest = hashlib.sha256(f"{lab}\0{point}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def plan(topology: Topology, locate: Locate) -> Plan:
    """Plan a loaded topology; TopologyError with every problem if it can't be planned."""
    problems: list[Problem] = []
    nics = _plan_nics(topology)
    machines = []
    for name, node in topology.nodes.items():
        planner = _Planner(name, node, tuple(nics.get(name, ())), locate, problems)
        machines.append(planner.machine(topology))
    if problems:
        raise TopologyError(problems)
    return Plan(topology.name, topology.description, tuple(machines), topology.exercises, locate)


def _plan_nics(topology: Topology) -> dict[str, list[Nic]]:
    """NICs by node, in the order of their numbers."""
    nics: dict[str, list[Nic]] = {}
    for link in topology.links:
        for nic in _ends(topology.name, link):
            nics.setdefault(nic.point.node, []).append(nic)
    for found in nics.values():
        found.sort(key=lambda nic: int(nic.name.removeprefix("eth")))
    return nics


def _ends(lab: str, link: Link) -> Iterator[Nic]:
    points = [Point.parse(endpoint.at) for endpoint in link.endpoints]
    for index, endpoint in enumerate(link.endpoints):
        address = endpoint.address or link.prefix[index + 1]
        point = points[index]
        yield Nic(
            point=point,
            mac=mac_of(lab, point),
            mtu=link.mtu,
            address=ip_interface(f"{address}/{link.prefix.prefixlen}"),
            trace=endpoint.trace or f"{point.node}-{point.nic}",
            link=link.name,
            peer=points[1 - index],
        )


class _Planner:
    """Plans one node; what can't be planned goes to `problems`."""

    def __init__(
        self, name: str, node: Node, nics: tuple[Nic, ...], locate: Locate, problems: list[Problem]
    ) -> None:
        self.name, self.node, self.nics = name, node, nics
        self.locate, self.problems = locate, problems
        self.table: list[tuple[Network, str]] = [(nic.address.network, nic.name) for nic in nics]

    def machine(self, topology: Topology) -> Machine:
        routes = tuple(self._routes())
        self.table += [(route.prefix, route.nic) for route in routes]
        return Machine(
            name=self.name,
            role=self.node.role,
            nics=self.nics,
            loopback=self.node.loopback,
            locator=self.node.locator,
            routes=routes,
            local_sids=tuple(self._sids(topology.local_sids)),
            policies=tuple(self._policies(topology.steering)),
        )

    def _routes(self) -> Iterable[PlannedRoute]:
        for index, route in enumerate(self.node.routes):
            nic = self._connected(route.via)
            if nic is None:
                where = ("nodes", self.name, "routes", index, "via")
                self._problem(where, f"{self.name} has no link on which {route.via} lies", self._links_of())
            else:
                yield PlannedRoute(route.prefix, route.via, nic)

    def _sids(self, sids: Sequence[LocalSid]) -> Iterable[PlannedSid]:
        for index, local in enumerate(sids):
            if local.node != self.name:
                continue
            next_hop = local.nh4 or local.nh6
            nic = self._connected(next_hop) if next_hop else self._any_ipv6_nic()
            if nic is None:
                what = (
                    f"{next_hop} is on no link of {self.name}"
                    if next_hop
                    else f"{self.name} has no IPv6 link"
                )
                self._problem(("local_sids", index), what, self._links_of())
                continue
            parameters = tuple((name, str(value)) for name, value in local.parameters.items())
            yield PlannedSid(local.sid, BEHAVIORS[local.behavior], parameters, nic)

    def _policies(self, steering: Sequence[Steering]) -> Iterable[PlannedPolicy]:
        for index, policy in enumerate(steering):
            if policy.headend != self.name:
                continue
            nic = self._lookup(policy.to.segments[0])
            if nic is None:
                where = ("steering", index, "to", "segments", 0)
                what = f"{self.name} has no route to its first segment {policy.to.segments[0]}"
                self._problem(where, what, f"add a route to it under nodes.{self.name}.routes")
                continue
            yield PlannedPolicy(policy.match.prefix, policy.to.segments, policy.mode, nic)

    def _connected(self, address: Address) -> str | None:
        return next((nic.name for nic in self.nics if address in nic.address.network), None)

    def _any_ipv6_nic(self) -> str | None:
        return next((nic.name for nic in self.nics if nic.address.version == 6), None)

    def _lookup(self, address: Address) -> str | None:
        """The NIC of the longest matching prefix."""
        matches = [(prefix.prefixlen, nic) for prefix, nic in self.table if address in prefix]
        return max(matches, key=lambda match: match[0])[1] if matches else None

    def _links_of(self) -> str:
        prefixes = ", ".join(str(ip_network(nic.address.network)) for nic in self.nics)
        return f"its links are {prefixes}" if prefixes else "it has no links"

    def _problem(self, where: Path, what: str, mend: str) -> None:
        self.problems.append(Problem(self.locate(where), what, mend))
