"""The routes that policies want: a function from their states to `ip route` commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Network

from ..srv6.policy.identity import Address, PolicyId
from ..srv6.policy.shares import linux_weights
from ..srv6.policy.sr_db import Link
from ..srv6.policy.state import Action, Flow, PolicyState, States
from ..srv6.policy.steering import per_destination
from ..srv6.policy.view import View
from .config import Config
from .steered import Steered

Words = tuple[str, ...]
Routes = Mapping[Words, Words]
"""What a route is for (`10.0.2.0/24 table 100`), and what is behind that; nothing behind it is no route."""
UNKNOWN: Words = ("unknown",)


def wanted(config: Config, states: States, view: View) -> Routes:
    """Every route of the headend's steering and of its binding SIDs."""
    return {**dict(_steering(config, states, view)), **dict(_bindings(config, states, view))}


def commands(before: Routes, after: Routes) -> Iterator[tuple[Words, Words]]:
    """Each route that changes with the command for it: what is replaced is never gone in between."""
    for route, behind in after.items():
        if behind and before.get(route) != behind:
            kind = behind[:1] if behind[0] == "blackhole" else ()
            yield route, ("ip", "route", "replace", *kind, *route, *behind[len(kind) :])
    for route in before:
        if before[route] and not after.get(route):
            yield route, ("ip", "route", "del", *route)


def _steering(config: Config, states: States, view: View) -> Iterator[tuple[Words, Words]]:
    for one in config.steering:
        table = ("table", str(one.table)) if one.table is not None else ()
        chosen = per_destination(one.endpoint, one.colors, states).policy
        yield (str(one.prefix), *table), _behind(one, chosen, states, config, view)


def _behind(one: Steered, chosen: PolicyId | None, states: States, config: Config, view: View) -> Words:
    if chosen is None:
        return one.otherwise
    state = states[chosen]
    if state.action is Action.DROP:
        return ("blackhole",)
    tail = (one.sid,) if one.sid else ()
    words = [
        (f"encap seg6 mode {one.mode} segs {','.join(map(str, (*flow.sids, *tail)))}".split(), flow)
        for flow in state.flows
    ]
    return _hops(one.prefix.version, words, config, view)


def _bindings(config: Config, states: States, view: View) -> Iterator[tuple[Words, Words]]:
    for state in states.values():
        if state.binding.sid is not None:
            yield (str(IPv6Network(state.binding.sid)),), _bound(state, config, view)


def _bound(state: PolicyState, config: Config, view: View) -> Words:
    """RFC 9256 sections 6.3, 8.1 and 8.2."""
    if state.action is Action.FORWARD:
        return ()
    if state.action is Action.DROP:
        return ("blackhole",)
    action = "encap seg6local action End.B6.Encaps srh segs"
    words = [(f"{action} {','.join(map(str, flow.sids))}".split(), flow) for flow in state.flows]
    return _hops(6, words, config, view)


def _hops(version: int, words: Sequence[tuple[list[str], Flow]], config: Config, view: View) -> Words:
    """One next hop, or several with weights. Linux looks the first segment up whatever the next hop is, but
    several of IPv6 it only takes with a gateway."""
    weights = linux_weights([flow.share for _, flow in words]).weights
    hops = []
    for (encap, flow), weight in zip(words, weights, strict=True):
        link = min(view.ways_to(flow.sids[0]), key=lambda one: config.nics[one.local])
        via = ["via", str(link.remote)] if version == 6 else []
        hops.append((*encap, *via, "dev", config.nics[link.local]))
        if len(words) > 1:
            hops[-1] = ("nexthop", *hops[-1], "weight", str(weight))
    return tuple(word for hop in hops for word in hop)


def own_links(config: Config) -> tuple[Link, ...]:
    """The headend's adjacencies, and those of its neighbors to it."""
    nics = config.nics
    return tuple(one for one in config.db.links if one.local in nics or one.remote in nics)


def nic_of(link: Link, nics: Mapping[Address, str]) -> str:
    return nics[link.local] if link.local in nics else nics[link.remote]
