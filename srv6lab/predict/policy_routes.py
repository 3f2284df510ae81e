"""What the routes of a headend are by the policies that it has elected: values for its forwarding tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network
from math import lcm

from srv6lab.plan.headend import ColorSteering, PlannedHeadend
from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.predict.fib import Blackhole, Sid, Steer, Way
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.policy.identity import PolicyId
from srv6lab.srv6.policy.state import Action, Flow, PolicyState, States
from srv6lab.srv6.policy.steering import FIRST_TABLE, Color, per_destination, per_flow
from srv6lab.srv6.policy.view import View
from srv6lab.srv6.results import LocalSid
from srv6lab.topology import sr_policy as written
from srv6lab.topology.scalars import Network

HEADENDS = {"encap": "H.Encaps", "encap.red": "H.Encaps.Red"}
INVALID = "no candidate path of its policy is valid"
Routes = Iterator[tuple[int | None, Network, tuple[Way, ...]]]


@dataclass(frozen=True, slots=True)
class Elected:
    """The state of every policy of a headend, and what it judged by."""

    states: States
    view: View


def source_of(nics: Mapping[str, Nic], name: str) -> IPv6Address:
    """The source of what a node pushes is the address of the NIC that it leaves by."""
    source = nics[name].address.ip
    if not isinstance(source, IPv6Address):
        raise ValueError(f"{name} has no IPv6 address to encapsulate from")
    return source


def decided(node: PlannedNode, elected: Elected) -> Routes:
    """Every route that policies bring: its table (None for the main one), its prefix, its ways."""
    headend = _headend(node)
    for one in headend.steered:
        if one.colors:
            colors = tuple(map(Color, one.colors))
            chosen = per_destination(one.endpoint, colors, elected.states).policy
            yield from _route(node, elected, one, chosen, None)
        for number, color in one.array:
            policy = per_destination(one.endpoint, (Color(color),), elected.states).policy
            yield from _route(node, elected, one, policy, FIRST_TABLE + number if number else None)
    for state in elected.states.values():
        if state.binding.sid is not None and (ways := _bound(node, elected, state, state.binding.sid)):
            yield None, IPv6Network(state.binding.sid), ways


def class_tables(node: PlannedNode, elected: Elected) -> tuple[tuple[written.Flow, int | None], ...]:
    """Flows with the tables of their classes; None for a class that no rule leads to."""
    headend = _headend(node)
    names = {(id.color, id.endpoint): id for id in elected.states}
    needed: set[int] = set()
    for one in headend.steered:
        known = {
            number: names[color, one.endpoint]
            for number, color in one.array
            if (color, one.endpoint) in names
        }
        if known and not per_flow(known, elected.states).bypassed:
            needed |= set(known) - {0}
    return tuple(
        (flow, FIRST_TABLE + flow.forwarding_class if flow.forwarding_class in needed else None)
        for flow in headend.flows
    )


def _headend(node: PlannedNode) -> PlannedHeadend:
    assert node.headend is not None
    return node.headend


def _route(
    node: PlannedNode, elected: Elected, one: ColorSteering, chosen: PolicyId | None, table: int | None
) -> Routes:
    nics = {nic.name: nic for nic in node.nics}
    if chosen is not None:
        state = elected.states[chosen]
        if state.action is Action.DROP:
            yield table, one.prefix, (Blackhole(INVALID),)
            return
        tail = (one.sid,) if one.sid else ()
        ways = tuple(
            Steer(
                HEADENDS[one.mode],
                Encapsulation(source_of(nics, _leaves_by(node, elected, flow)), (*flow.sids, *tail)),
                weight,
            )
            for flow, weight in _weighted(state.flows)
        )
        yield table, one.prefix, ways
    elif table is None and one.sid and one.otherwise and one.otherwise[0] == "encap":
        source = source_of(nics, one.otherwise[-1])
        yield table, one.prefix, (Steer(HEADENDS[one.mode], Encapsulation(source, (one.sid,))),)


def _bound(node: PlannedNode, elected: Elected, state: PolicyState, sid: IPv6Address) -> tuple[Way, ...]:
    """RFC 9256 sections 6.3, 8.1 and 8.2."""
    if state.action is Action.DROP:
        return (Blackhole(INVALID),)
    nics = {nic.name: nic for nic in node.nics}
    return tuple(
        Sid(
            sid,
            REGISTRY["End.B6.Encaps"],
            LocalSid(policy=Encapsulation(source_of(nics, _leaves_by(node, elected, flow)), flow.sids)),
            weight=weight,
        )
        for flow, weight in _weighted(state.flows)
    )


def _weighted(flows: Sequence[Flow]) -> Iterator[tuple[Flow, int]]:
    """Their shares as whole numbers, without a rounding error."""
    whole = lcm(*(flow.share.denominator for flow in flows))
    yield from ((flow, int(flow.share * whole)) for flow in flows)


def _leaves_by(node: PlannedNode, elected: Elected, flow: Flow) -> str:
    """The NIC towards the first segment: of several, the first by its name."""
    names = dict(_headend(node).nics)
    found = [
        names[link.local]
        for link in elected.view.ways_to(flow.sids[0])
        if isinstance(link.local, IPv6Address)
    ]
    return min(found)
