"""From what the author wrote to what every machine is told: a value, the same for the same file.

Here names become interfaces, MACs, capture files and next hops. Nothing is asked of a machine.
What can't be planned is a Problem at the place in the YAML that asked for it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv6Address, ip_interface, ip_network
from types import MappingProxyType
from typing import Any, TypeVar

from srv6lab.errors import Location, Problem, TopologyError
from srv6lab.evidence.packets import Point
from srv6lab.plan.converged import converged, learned_nics
from srv6lab.plan.converged.bgp.tables import Unsettled
from srv6lab.plan.frames import FixedNeighbor, SteeredFrames, across, circuits, steered_frames
from srv6lab.plan.frr import plan_routing
from srv6lab.plan.frr.vpn import vpn_tables
from srv6lab.plan.headend import plan_headend
from srv6lab.plan.nodes import (
    Locate,
    Nic,
    Path,
    Plan,
    PlannedNode,
    PlannedPort,
    PlannedProxy,
    PlannedRoute,
    PlannedService,
    PlannedSid,
    Spare,
    SteeredPrefix,
)
from srv6lab.plan.one_way import with_one_way
from srv6lab.plan.own import plan_own, unmodeled
from srv6lab.plan.selectors import planned_rule, selectors, steered_prefix, with_rules
from srv6lab.plan.sessions import unreached
from srv6lab.plan.tasks import unsound_tasks
from srv6lab.plan.vrfs import plan_vrfs
from srv6lab.srv6.behaviors import BEHAVIORS
from srv6lab.srv6.hmac import HmacKey
from srv6lab.topology.actions import Action
from srv6lab.topology.actions.route import RouteAction
from srv6lab.topology.actions.sid import SidAction
from srv6lab.topology.actions.steering import SteeringAction
from srv6lab.topology.frr_sids import isis_sids
from srv6lab.topology.local_sid import LocalSid
from srv6lab.topology.model import STANDARD, Group, Hardware, Link, Node, Port, Topology
from srv6lab.topology.route import Route
from srv6lab.topology.routing.frr import command_of_vtysh
from srv6lab.topology.scalars import Address, Network
from srv6lab.topology.steering import Steering

T = TypeVar("T")
_Sid = tuple[int, LocalSid]  # with its place in the file


def mac_of(lab: str, point: Point) -> str:
    """A locally administered unicast MAC that depends on nothing but lab and point; of a learner's lab on his key, too."""
    digest = hashlib.sha256(f"{lab}\0{point}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def _owner(topology: Topology) -> str:
    """By what the MACs of a lab are told from those of others."""
    return f"{topology.learner.key}\0{topology.name}" if topology.learner else topology.name


def plan(topology: Topology, locate: Locate, files: Mapping[str, str] = MappingProxyType({})) -> Plan:
    """Plan a loaded topology; TopologyError with every problem if it can't be planned. `files` holds
    the texts of the files that the topology names."""
    every = tuple(_steering(topology))
    nics = _plan_nics(topology, (one for _, one in every))
    neighbors = _neighbors(nics, across(topology, (one for _, one in every)))
    problems = list(_mac_clashes(topology, locate))
    sids = _by_node((one.node, (index, one)) for index, one in enumerate(topology.local_sids))
    steering = _by_node((one.headend, (where, one)) for where, one in every)
    inserted = {one.prefix for _, one in every if one.mode == "inline"}
    groups = _by_node((member, group) for group in topology.groups.values() for member in group.members)
    planners = {
        name: _Planner(name, node, tuple(nics.get(name, ())), locate, problems)
        for name, node in topology.nodes.items()
    }
    begun = []
    for name, planner in planners.items():
        services = tuple(_plan_services(topology, name, files))
        machine = planner.planned(services)
        begun.append(replace(machine, routing=plan_routing(topology, name)))
    pushing = {one.node for one in topology.local_sids if one.policy} | {one.headend for _, one in every}
    try:
        learned = learned_nics(topology.name, begun, pushing)
    except Unsettled as error:
        raise TopologyError([_never_at_rest(begun, error, locate)]) from error
    nodes = []
    for machine in begun:
        name, node = machine.name, topology.nodes[machine.name]
        wanted = steering.get(name, ())
        machine = replace(machine, learned=learned.get(name, ()))
        bound = tuple(planners[name].sids(sids.get(name, ()), machine))
        machine = replace(
            machine,
            local_sids=(*bound, *planners[name].isis_sids(bound)),
            proxies=tuple(planners[name].proxies(sids.get(name, ()), machine)),
            selectors=selectors(one.match for _, one in wanted if not one.of_frames),
            has_lists=any(len(one.lists) > 1 for _, one in wanted),
        )
        vrfs = plan_vrfs(node, machine, [one for _, one in wanted])
        machine = replace(machine, vrfs=vrfs, neighbors=tuple(neighbors.get(name, ())))
        policies = tuple(_policies(machine, wanted, locate, problems))
        hardware = _hardware(node, groups.get(name, ()), topology.defaults)
        headend = plan_headend(topology, name, machine.egress_nic)
        own = plan_own(node, [nic.name for nic in machine.nics], files)
        problems.extend(_no_configuration(name, node, files, locate))
        spare = _spare(topology, node, machine, locate, problems)
        takes_srh = machine.forwards or any(
            one in prefix for prefix in inserted for one in machine.addresses()
        )
        steered = tuple(one for one in policies if isinstance(one, SteeredPrefix))
        frames = tuple(one for one in policies if isinstance(one, SteeredFrames))
        machine = replace(machine, steering=steered, frames=frames, headend=headend, own=own, spare=spare)
        machine = replace(machine, rules=with_rules(machine.rules, steered))
        nodes.append(replace(machine, takes_srh=takes_srh, **hardware))
    locations = {path: locate(path) for path in _lasting(topology)}
    whole = Plan(topology.name, topology.description, tuple(nodes), topology.exercises, locations)
    whole = replace(whole, learner=topology.learner)
    problems += [] if problems else unsound_tasks(whole, locate)
    if problems:
        raise TopologyError(problems)
    return _with_bgp(whole, locate)


def _with_bgp(plan: Plan, locate: Locate) -> Plan:
    """The plan with what BGP needs beside it, if all of its sessions come up."""
    if not any(one.routing and one.routing.bgp for one in plan.nodes):
        return plan
    try:
        whole = converged(plan)
    except Unsettled as error:
        if unmodeled(plan):
            return plan
        raise TopologyError([_never_at_rest(plan.nodes, error, locate)]) from error
    if problems := [*unreached(plan, whole, locate)]:
        raise TopologyError(problems)
    return with_one_way(plan, whole)


def _never_at_rest(nodes: Iterable[PlannedNode], error: Unsettled, locate: Locate) -> Problem:
    """At the first speaker, since no one of them is to blame."""
    speaker = next(one.name for one in nodes if one.routing and one.routing.bgp)
    return Problem(locate(("nodes", speaker, "bgp")), str(error), "take a session or a route away")


def _no_configuration(name: str, node: Node, files: Mapping[str, str], locate: Locate) -> Iterator[Problem]:
    """The lines of a node's own file of FRR's configuration that are none."""
    file = node.frr.file if node.frr else None
    for number, line in enumerate(files.get(file or "", "").splitlines(), 1) if file else ():
        if word := command_of_vtysh(line):
            what = (
                f"line {number} of {file}: `{word}` is a command of vtysh, and no line of FRR's configuration"
            )
            yield Problem(locate(("nodes", name, "frr", "file")), what, "take the line away")


def _lasting(topology: Topology) -> Iterator[Path]:
    """What may have to be told of when the file has long been read: nodes, and what is expected."""
    yield ()
    yield from (("nodes", name) for name in topology.nodes)
    for index, exercise in enumerate(topology.exercises):
        for key in ("answered", "hops"):
            yield from (("exercises", index, *path, key) for path, _ in exercise.probe_paths())
        for kind in ("packets", "alerts", "counters", "control"):
            for number in range(len(getattr(exercise.expect, kind))):
                yield "exercises", index, "expect", kind, number


def _hardware(node: Node, groups: Iterable[Group], defaults: Hardware) -> dict[str, Any]:
    """What the node says, else its groups, else the defaults. A version is that of a box, so one that is
    said further out than the box is another box's."""
    of_groups = {key: value for group in groups for key, value in _said(group).items()}
    found: dict[str, Any] = {}
    for layer in (_said(node), of_groups, _said(defaults), _said(STANDARD)):
        if "box" in found:
            layer.pop("box_version", None)
        found = {**layer, **found}
    return found


def _said(hardware: Hardware) -> dict[str, Any]:
    values = {key: getattr(hardware, key) for key in Hardware.model_fields}
    return {key: value for key, value in values.items() if value is not None}


def _policies(
    node: PlannedNode, wanted: Sequence[tuple[Path, Steering]], locate: Locate, problems: list[Problem]
) -> Iterator[SteeredPrefix | SteeredFrames]:
    """The machine's own policies; those that exercises apply are only looked at for problems."""
    for where, steering in wanted:
        of_frames = steering.of_frames
        policy = steered_frames(steering, node.egress_nic) if of_frames else steered_prefix(node, steering)
        if policy is None:
            lost = ((at, one) for at, one in steering.lists if not node.egress_nic(one.segments[0]))
            for at, one in lost:
                path = (*where, "to", *at, "segments", 0)
                problems.append(_no_way(node.name, one.segments[0], locate(path)))
        elif where[0] == "steering":
            yield policy


def _no_way(node: str, first: IPv6Address, where: Location) -> Problem:
    what = f"{node} has no route to its first segment {first}"
    return Problem(where, what, f"add a route to it under nodes.{node}.routes")


def _by_node(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for node, one in pairs:
        found.setdefault(node, []).append(one)
    return found


def _steering(topology: Topology) -> Iterator[tuple[Path, Steering]]:
    """All policies with their places: the lab's own, then those that exercises apply. What SR policies decide is not
    among them."""
    own = ((("steering", index), one) for index, one in enumerate(topology.steering))
    yield from ((path, one) for path, one in own if one.segments)
    for path, action in _actions(topology):
        if isinstance(action, SteeringAction) and action.steering.segments:
            yield (*path, "steering"), action.steering


def _actions(topology: Topology) -> Iterator[tuple[Path, Action]]:
    """What exercises apply, each with its place."""
    for index, exercise in enumerate(topology.exercises):
        places: list[tuple[Path, tuple[Action, ...]]] = [
            (("apply",), exercise.apply),
            (("start",), exercise.start),
        ]
        places += [(("steps", number, "apply"), step.apply) for number, step in enumerate(exercise.steps)]
        for path, actions in places:
            yield from ((("exercises", index, *path, number), one) for number, one in enumerate(actions))
        solved = ((number, step.do) for number, step in enumerate(exercise.solution) if step.do)
        yield from ((("exercises", index, "solution", number, "do"), one) for number, one in solved)


def _spare(
    topology: Topology, node: Node, machine: PlannedNode, locate: Locate, problems: list[Problem]
) -> Spare:
    """What exercises give a node for a while, planned as what it has of its own."""
    routes: list[tuple[Path, Route]] = []
    sids: list[tuple[Path, LocalSid]] = []
    for path, action in _actions(topology):
        if isinstance(action, RouteAction) and (route := action.route.put) and route.node == machine.name:
            routes.append(((*path, "route", "add" if action.route.add else "replace"), route))
        elif isinstance(action, SidAction) and (sid := action.sid.add) and sid.node == machine.name:
            sids.append(((*path, "sid", "add"), sid))

    def place(path: Path) -> Location:
        if path[0] == "local_sids":
            return locate((*sids[int(path[1])][0], *path[2:]))
        return locate((*routes[int(path[3])][0], *path[4:]))  # nodes, its name, routes, the number

    twin = node.model_copy(update={"routes": tuple(one for _, one in routes)})
    planner = _Planner(machine.name, twin, machine.nics, place, problems)
    planned = zip(
        (one for _, one in routes), planner.routes(), strict=False
    )  # fewer, where there is a problem
    numbered = [(number, one) for number, (_, one) in enumerate(sids)]
    return Spare(tuple(planned), tuple(planner.sids(numbered, machine)))


def _mac_clashes(topology: Topology, locate: Locate) -> Iterator[Problem]:
    """Two points with one MAC: rare among 2^40, and then nothing would say why a link is dead."""
    owners: dict[str, Point] = {}
    for index, link in enumerate(topology.links):
        for end, endpoint in enumerate(link.endpoints):
            point = endpoint.point
            mac = endpoint.mac or mac_of(_owner(topology), point)
            owner = owners.setdefault(mac, point)
            if owner != point:
                what = f"{point} would have the MAC {mac} that {owner} has"
                mend = "write another one" if endpoint.mac else "rename one of the two nodes"
                yield Problem(locate(("links", index, "endpoints", end)), what, mend)


def _plan_nics(topology: Topology, every: Iterable[Steering]) -> dict[str, list[Nic]]:
    """NICs by node, in the order of their numbers. One by which only an exercise steers frames keeps its address."""
    own, all_ = circuits(topology, topology.steering), circuits(topology, every)
    nics: dict[str, list[Nic]] = {}
    for link in topology.links:
        for nic in _ends(_owner(topology), link, all_, own):
            nics.setdefault(nic.point.node, []).append(nic)
    for found in nics.values():
        found.sort(key=lambda nic: _by_number(nic.name))
    return nics


def _by_number(name: str) -> list[str | int]:
    """eth10 comes behind eth2."""
    return [int(part) if part.isdigit() else part for part in re.split("([0-9]+)", name)]


def _ends(lab: str, link: Link, circuits: Collection[Point], bare: Collection[Point]) -> Iterator[Nic]:
    points = [endpoint.point for endpoint in link.endpoints]
    for index, endpoint in enumerate(link.endpoints):
        point = points[index]
        yield Nic(
            point=point,
            mac=endpoint.mac or mac_of(lab, point),
            mtu=endpoint.mtu or link.mtu,
            addresses=link.interfaces(index) if endpoint.addresses or point not in bare else (),
            trace=endpoint.trace or f"{point.node}-{point.nic}",
            link=link.name,
            peers=tuple(points[:index] + points[index + 1 :]),
            vrf=endpoint.vrf or "",
            circuit=point in circuits,
        )


def _neighbors(
    nics: Mapping[str, Sequence[Nic]], pairs: Iterable[tuple[Point, Point]]
) -> dict[str, list[FixedNeighbor]]:
    """By node the neighbors that it has to be told of: those in its own prefix."""
    ends = {nic.point: nic for found in nics.values() for nic in found}
    found: dict[str, list[FixedNeighbor]] = {}
    for near, far in dict.fromkeys(pairs):
        there = ends[far]
        mine = {*ends[near].networks()}
        for address in (one.ip for one in there.addresses if one.network in mine):
            found.setdefault(near.node, []).append(FixedNeighbor(address, there.mac, near.nic))
    return found


def _plan_services(topology: Topology, node: str, files: Mapping[str, str]) -> Iterator[PlannedService]:
    for name, service in topology.services.items():
        if service.node == node:
            netns = service.netns or ""
            ports = tuple(_port(_owner(topology), node, netns, port) for port in service.ports)
            listen = service.listen or ports[0].inside.name
            yield PlannedService(
                name, netns, ports, service.engine, files.get(service.rules, ""), listen, service.frames
            )


def _port(lab: str, node: str, netns: str, port: Port) -> PlannedPort:
    outside, inside = Point(node, port.outside), Point(node, port.inside, netns)
    length = port.prefix.prefixlen

    def nic(point: Point, number: int, peer: Point) -> Nic:
        return Nic(
            point=point,
            mac=mac_of(lab, point),
            mtu=port.mtu,
            addresses=(ip_interface(f"{port.prefix[number]}/{length}"),),
            trace=port.trace or f"{node}-{inside.nic}",
            link="",
            peers=(peer,),
        )

    return PlannedPort(nic(outside, 1, inside), nic(inside, 2, outside))


class _Planner:
    """Plans one node; what can't be planned goes to `problems`."""

    def __init__(
        self, name: str, node: Node, nics: tuple[Nic, ...], locate: Locate, problems: list[Problem]
    ) -> None:
        self.name, self.node, self.nics = name, node, nics
        self.links: dict[tuple[str, Network], int] = {}
        for place, nic in enumerate(nics):
            for prefix in nic.networks():
                self.links.setdefault((nic.vrf, prefix), place)
        self.lengths = {(vrf, prefix.version, prefix.prefixlen) for vrf, prefix in self.links}
        self.locate, self.problems = locate, problems

    def planned(self, services: tuple[PlannedService, ...]) -> PlannedNode:
        return PlannedNode(
            name=self.name,
            role=self.node.role,
            nics=self.nics,
            loopbacks=self.node.loopbacks,
            locator=self.node.locator,
            tunnel_source=self.node.tunnel_source,
            hmac_keys=tuple(
                HmacKey(int(number), key.algorithm, key.secret.encode("ascii"))
                for number, key in self.node.hmac_keys.items()
            ),
            hmac_check=self.node.hmac_check,
            routes=tuple(self.routes()),
            rules=tuple(map(planned_rule, self.node.rules)),
            services=services,
        )

    def routes(self) -> Iterable[PlannedRoute]:
        tables = self.node.vrf_tables | vpn_tables(self.node)
        for index, route in enumerate(self.node.routes):
            vrf = self.node.place_of(route)
            nic = route.nic or ("" if route.via is None else self._connected(route.via, vrf))
            if route.segments and not nic:
                nic = self._any_ipv6_nic()
            if nic is None:
                key = "segments" if route.segments else "via"
                lacks = "IPv6 link" if route.segments else f"link on which {route.via} lies"
                where = ("nodes", self.name, "routes", index, key)
                self._problem(where, f"{self.name} has no {lacks}", self._links_of())
            else:
                table = tables.get(vrf, route.table)
                frr = self.node.runs_frr and (table is None or vrf in self.node.vpns)
                of = (route.prefix, route.via, nic, route.weight, table, vrf, route.type or "")
                yield PlannedRoute(*of, route.metric, frr, route.segments, route.mode)

    def sids(self, sids: Sequence[_Sid], node: PlannedNode) -> Iterable[PlannedSid]:
        for index, local in sids:
            behavior = BEHAVIORS[local.behavior]
            if behavior.served_by != "kernel":
                continue
            nic = self._nic_of(local, node)
            if nic is None:
                self._stranded(index, local)
                continue
            vrf = self.node.vrf_of(local.vrf, local.table)
            given = local.parameters | ({"table": self.node.vrf_tables[vrf]} if vrf else {})
            parameters = tuple((name, str(given[name])) for name in given if name not in ("policy", "vrf"))
            policy = local.policy.segments if local.policy else ()
            of = (local.sid, behavior, parameters, nic, local.prefix, local.flavors, policy, vrf, local.csid)
            locator = self.node.locator_of(local.sid) if local.by else ""
            yield PlannedSid(*of, "static" if local.by else "", locator)

    def isis_sids(self, bound: Sequence[PlannedSid]) -> Iterable[PlannedSid]:
        """What IS-IS binds by itself, where nothing else is bound to it."""
        for local in isis_sids({self.name: self.node}):
            if (nic := self._any_ipv6_nic()) and local.prefix not in {one.prefix for one in bound}:
                of = (local.sid, BEHAVIORS[local.behavior], (), nic, local.prefix, local.flavors)
                yield PlannedSid(*of, csid=local.csid, by="isis", locator=self.node.isis_locator)

    def _nic_of(self, local: LocalSid, node: PlannedNode) -> str | None:
        """Towards the policy or the next hop of a SID, else any: Linux wants one in every route."""
        if local.policy is not None:
            return node.egress_nic(local.policy.segments[0])
        next_hop = local.next_hop
        return self._connected(next_hop) if next_hop else self._any_ipv6_nic()

    def _stranded(self, index: int, local: LocalSid) -> None:
        if local.policy is not None:
            path = ("local_sids", index, "policy", "segments", 0)
            self.problems.append(_no_way(self.name, local.policy.segments[0], self.locate(path)))
            return
        next_hop = local.next_hop
        what = f"{next_hop} is on no link of {self.name}" if next_hop else f"{self.name} has no IPv6 link"
        self._problem(("local_sids", index), what, self._links_of())

    def proxies(self, sids: Sequence[_Sid], node: PlannedNode) -> Iterable[PlannedProxy]:
        for index, local in sids:
            behavior = BEHAVIORS[local.behavior]
            if behavior.served_by != "proxy":
                continue
            service = next((one for one in node.services if one.name == local.service), None)
            if service is None or len(service.ports) != 2:
                what = f"{local.behavior} needs a service on {self.name} with two ports"
                mend = f"give it `service:` with a name from `services` that has two `ports` on {self.name}"
                self._problem(("local_sids", index), what, mend)
                continue
            to, back = service.ports
            there = to.inside.address.ip, to.outside.name, back.outside.name
            source, segments = self._tunnel(local, node) if local.policy else (None, ())
            if local.policy and source is None:
                self._stranded(index, local)
                continue
            yield PlannedProxy(local.sid, behavior, service.name, *there, source, segments)

    def _tunnel(
        self, local: LocalSid, node: PlannedNode
    ) -> tuple[IPv6Address | None, tuple[IPv6Address, ...]]:
        """Where the tunnel of a static proxy begins, and its segments; no source where no way leads to the first."""
        assert local.policy is not None
        segments = local.policy.segments
        out = node.egress_nic(segments[0])
        loopback = node.loopback.ip if node.loopback else None
        near = (one.ip for nic in node.nics if nic.name == out for one in nic.addresses)
        known = (local.policy.source, node.tunnel_source, loopback, *near)
        found = (one for one in known if isinstance(one, IPv6Address))
        return next(found, None) if out else None, segments

    def _connected(self, address: Address, vrf: str = "") -> str | None:
        """The first NIC on whose link an address is: looked up by its prefix, since a spine has many links."""
        lengths = {length for of, version, length in self.lengths if (of, version) == (vrf, address.version)}
        found = [
            place
            for length in lengths
            if (place := self.links.get((vrf, ip_network((address, length), strict=False)))) is not None
        ]
        return self.nics[min(found)].name if found else None

    def _any_ipv6_nic(self) -> str | None:
        return next((nic.name for nic in self.nics if nic.of(6) and not nic.vrf), None)

    def _links_of(self) -> str:
        prefixes = ", ".join(str(network) for nic in self.nics for network in nic.networks())
        return f"its links are {prefixes}" if prefixes else "it has no links"

    def _problem(self, where: Path, what: str, mend: str) -> None:
        self.problems.append(Problem(self.locate(where), what, mend))
