"""What faults are looked for in: the ways that an exercise's packets must take, by the model, and what serves them there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from srv6lab.evidence.packets import Direction, Place
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.plan.actions import changes
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedRoute, PlannedSid, SteeredPrefix
from srv6lab.predict import predict
from srv6lab.render.day0 import day0_script
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.scalars import Address

_NIC = re.compile(r"\$(\w+)")
_LINE = re.compile(r"^(?:route|address|neighbor) replace .*$", re.MULTILINE)
_PROXY = re.compile(r"^add=\((srconf localsid add .*)\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Visit:
    """A packet at a node, or in a namespace in it: as it came, None where it begins, and as it left, None where it ends."""

    probe: str
    leg: Leg
    place: Place
    came: Hop | None
    out: Hop | None

    @property
    def begins(self) -> bool:
        return self.came is None

    @property
    def behaviors(self) -> tuple[str, ...]:
        return self.out.behaviors if self.out else self.came.behaviors if self.came else ()

    @property
    def pushes(self) -> bool:
        """Whether it gets an SRH or a tunnel here, by steering."""
        return any(one.startswith("H.") for one in self.behaviors)


@dataclass(frozen=True)
class Scene:
    """An exercise of a lab. `visits` are those of its packets at nodes that it changes nothing of: what it changes it also
    takes back. `largest` are those of a transfer's largest packets."""

    plan: Plan
    exercise: Exercise
    visits: tuple[Visit, ...]
    largest: tuple[Visit, ...] = ()
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, plan: Plan, name: str) -> Scene:
        exercise = plan.exercise(name)[1]
        predicted = predict(plan, name)
        changed = {change.node for one in exercise.every_action() for change in changes(one, plan)}
        every = [*_visits(predicted, [one for each in predicted for one in each.linux])]
        large = [*_visits(predicted, [one for each in predicted for one in each.largest])]
        visits, largest = (
            tuple(one for one in them if one.place.node not in changed) for them in (every, large)
        )
        return cls(plan, exercise, visits, largest)

    def node(self, visit: Visit) -> PlannedNode:
        return self.plan.node(visit.place.node)

    def nic(self, hop: Hop | None) -> Nic | None:
        """The end of a link that a packet passes; None inside of a node, and in a VRF."""
        found = None if hop is None or hop.point.netns else self.plan.node(hop.point.node).nics
        return next((nic for nic in found or () if hop and nic.point == hop.point and not nic.vrf), None)

    def routed(self) -> Iterator[Visit]:
        """The visits in nodes themselves, outside of VRFs."""
        for visit in self.visits:
            hops = [hop for hop in (visit.came, visit.out) if hop]
            if not visit.place.netns and all(self.nic(hop) for hop in hops):
                yield visit

    def sid(self, visit: Visit) -> PlannedSid | None:
        """The SID that takes what comes."""
        if visit.came is None:
            return None
        to = visit.came.packet.outer.destination
        found = [one for one in self.node(visit).local_sids if to in one.prefix]
        return max(found, key=lambda one: one.prefix.prefixlen, default=None)

    def policy(self, visit: Visit) -> SteeredPrefix | None:
        """The steering that what comes is pushed by: one segment list, outside of VRFs and of other tables."""
        if not visit.pushes or visit.out is None:
            return None
        to = visit.out.packet.innermost.destination
        plain = (one for one in self.node(visit).steering if not (one.lists or one.vrf or one.table))
        return max(
            (one for one in plain if to in one.prefix), key=lambda one: one.prefix.prefixlen, default=None
        )

    def route(self, visit: Visit) -> PlannedRoute | None:
        """The static route by which what leaves is sent on, with a next hop; None where its link, or something that isn't
        static, leads there."""
        nic, node = self.nic(visit.out), self.node(visit)
        if nic is None or visit.out is None or nic.reaches(visit.out.packet.outer.destination):
            return None
        to = visit.out.packet.outer.destination
        ways = (route for routes in node.next_hops().values() for route in routes if len(routes) == 1)
        mine = (
            one for one in ways if to in one.prefix and one.nic == nic.name and not (one.table or one.vrf)
        )
        found = max(mine, key=lambda one: one.prefix.prefixlen, default=None)
        return found if found and found.via and not found.frr else None

    def next_hop(self, visit: Visit) -> Address | None:
        """The neighbor's address that is resolved where it leaves."""
        nic = self.nic(visit.out)
        if nic is None or visit.out is None:
            return None
        to = visit.out.packet.outer.destination
        route = self.route(visit)
        return to if nic.reaches(to) else route.via if route else None

    def day0(self, node: str, begins: str) -> str | None:
        """The command of Day0 that lays what begins so, such as `route replace fc00:2::a/128`; None where it has none."""
        line = next((one for one in self._day0(node) if one.startswith(f"{begins} ")), None)
        return line and _typed(line)

    def day0_of(self, node: str, nic: str) -> tuple[str, ...]:
        """The commands of Day0 that are gone when a NIC goes down: its addresses, and what leads over it."""
        return tuple(_typed(line) for line in self._day0(node) if f" dev {nic} " in f"{line} ")

    def day0_proxy(self, node: str, sid: Address) -> str | None:
        """The command of Day0 that gives an SR proxy its SID."""
        script = day0_script(self.plan, self.plan.node(node))
        return next((one for one in _PROXY.findall(script) if f" add {sid} " in one), None)

    def _day0(self, node: str) -> tuple[str, ...]:
        if node not in self.lines:
            script = day0_script(self.plan, self.plan.node(node))
            batch = script.partition("\nip -batch - <<EOF\n")[2].partition("\nEOF\n")[0]
            self.lines[node] = tuple(_NIC.sub(r"\1", line) for line in _LINE.findall(batch))
        return self.lines[node]


def _typed(line: str) -> str:
    """A line of `ip -batch` as somebody types it."""
    kind, _, rest = line.partition(" ")
    return f"ip -6 {kind} {rest}" if ":" in rest.split()[1] and kind == "route" else f"ip {kind} {rest}"


def _visits(predicted: Iterable[Prediction], traces: Iterable[Trace]) -> Iterator[Visit]:
    """Those of the walks that the model knows to their end; each once."""
    seen: dict[Visit, None] = {}
    for trace in traces:
        if trace.end.known and trace.end.delivered:
            for place, hops in groupby(trace.hops, key=lambda hop: hop.point.place):
                passed = [*hops]
                came = passed[0] if passed[0].direction is Direction.IN else None
                out = passed[-1] if passed[-1].direction is Direction.OUT else None
                seen[Visit(trace.probe, trace.leg, place, came, out)] = None
    yield from seen
