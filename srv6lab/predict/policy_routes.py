"""What the routes of a headend are by the policies that it has elected: values for its forwarding tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network
from math import lcm

from srv6lab.plan.headend import PlannedHeadend
from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.predict.fib import HEADENDS, Blackhole, NextHop, Routes, Sid, Steer
from srv6lab.predict.source import source_of
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.policy.routes import Route, needed_classes, routes
from srv6lab.srv6.policy.state import States
from srv6lab.srv6.policy.steering import FIRST_TABLE
from srv6lab.srv6.policy.view import View
from srv6lab.srv6.results import LocalSid
from srv6lab.topology import sr_policy as written
from srv6lab.topology.scalars import Address

INVALID = "no candidate path of its policy is valid"


@dataclass(frozen=True, slots=True)
class Elected:
    """The state of every policy of a headend, and what it judged by; or why the model doesn't know what becomes of its
    probes, so that all of this is `unknown`."""

    states: States
    view: View
    unknown: str = ""

    def routes(self, node: PlannedNode) -> Routes:
        """Every route that policies bring: its table (None for the main one), its prefix, what stands behind it."""
        headend = _headend(node)
        nics: dict[Address, str] = dict(headend.nics)
        for route in routes(headend.steered, self.states, self.view, nics):
            if found := tuple(_behind(node, {nic.name: nic for nic in node.nics}, route)):
                yield route.table, route.prefix, found

    def class_tables(self, node: PlannedNode) -> tuple[tuple[written.Flow, int | None], ...]:
        """Flows with the tables of their classes; None for a class that no rule leads to."""
        headend = _headend(node)
        needed = needed_classes(headend.steered, self.states)
        return tuple(
            (flow, FIRST_TABLE + flow.forwarding_class if flow.forwarding_class in needed else None)
            for flow in headend.flows
        )


def _headend(node: PlannedNode) -> PlannedHeadend:
    assert node.headend is not None
    return node.headend


def _behind(node: PlannedNode, nics: Mapping[str, Nic], route: Route) -> Iterator[NextHop]:
    one = route.steering
    if route.drop:
        yield Blackhole(INVALID)
    elif not route.hops and one and one.sid and one.otherwise[:1] == ("encap",):
        begin = source_of(node, nics, one.otherwise[-1], one.sid)
        yield Steer(HEADENDS[one.mode], Encapsulation(begin, (one.sid,)))
    whole = lcm(*(hop.share.denominator for hop in route.hops))
    for hop in route.hops:  # their shares as whole numbers, without a rounding error
        policy, weight = (
            Encapsulation(source_of(node, nics, hop.nic, hop.sids[0]), hop.sids),
            int(hop.share * whole),
        )
        if one:
            yield Steer(HEADENDS[one.mode], policy, weight)
        elif isinstance(route.prefix, IPv6Network):
            sid = route.prefix.network_address
            yield Sid(sid, REGISTRY["End.B6.Encaps"], LocalSid(policy=policy), weight=weight)
