"""Waiting until the routing protocols of a lab have converged: never for the clock, always for what isn't there
yet, which is named while it lasts.

What has to be there is what `expected_routes` derives from the plan. Only the first step that isn't done is named: a
session can't come up before the adjacencies below it, nor a VPN's route before the session.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network

from srv6lab.errors import NodeError
from srv6lab.host.progress import Progress
from srv6lab.host.waiting import at_once, wait_until
from srv6lab.live.instance import Instance
from srv6lab.live.node_state import NodeState, Route, fetch_node_state
from srv6lab.live.why import Reason, fetch_reasons
from srv6lab.plan.converged import ExpectedRoutes, expected_routes
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.plan.own import unmodeled
from srv6lab.plan.replaced import without_adjacencies

PATIENCE = 60.0
UNMODELED_PATIENCE = 20.0  # where some of it may never come
_INTERVAL = 0.2
_ASK_WHY = 5.0  # seconds: what comes by itself mostly has come by then
_EVERY = 10.0
_LINES = 8
STEPS = (
    "daemons of FRR",
    "static routes",
    "IS-IS adjacencies",
    "OSPF neighbors",
    "BFD sessions",
    "BGP sessions",
    "SIDs",
    "routes",
    "VPN routes",
    "customers' routes",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a node must know, the routes that must be gone, and whether it has lost its locator. `static` are the routes
    of its FRR's configuration that must be in the kernel."""

    known: ExpectedRoutes
    gone: tuple[PlannedRoute, ...] = ()
    withdrawn: bool = False
    static: tuple[PlannedRoute, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that isn't there yet; `step` is its place in STEPS. What is `dead` won't come by itself."""

    step: int
    node: str
    what: str
    dead: bool = False


def wait(
    lab: Instance,
    plan: Plan,
    progress: Progress,
    withdrawn: Collection[str] = (),
    patience: float = PATIENCE,
    changed: Plan | None = None,
) -> None:
    """Until every node knows what it must, and no longer what the nodes in `withdrawn` have taken away. What it must is
    by the plan, or as an exercise has `changed` that;
    NodeError with what is missing and why, at once if a daemon is dead. A lab without routing protocols has nothing to wait for."""
    now = changed or plan
    wanted = _wanted(plan, withdrawn, now)
    if not wanted:
        return
    found: list[Missing] = []
    waiting_for = _WaitingFor(lab, now, wanted, progress)

    def converged() -> bool:
        """Only nodes that lacked something are asked again."""
        waiting = [name for name in wanted if not found or any(one.node == name for one in found)]
        ask = partial(fetch_node_state, lab, waiting=True)
        known = at_once(ask, [now.node(name) for name in waiting])
        found[:] = [
            one
            for name, state in zip(waiting, known, strict=True)
            for one in missing(now.node(name), wanted[name], state)
        ]
        return waiting_for.in_vain(found) or not found

    unknown = _unmodeled_routers(plan)
    wait_until(converged, min(patience, UNMODELED_PATIENCE) if unknown else patience, _INTERVAL)
    if found and unknown:
        progress(f"not waited for any longer: {next(iter(unknown.values()))}")
    elif found:
        raise _gave_up(plan, first_step(found), lab, waiting_for)


@dataclass(slots=True)
class _WaitingFor:
    """What is told while something is missing: each step as it begins, and every ten seconds what isn't there yet at
    which router, and why."""

    lab: Instance
    plan: Plan
    wanted: Mapping[str, Wanted]
    progress: Progress
    began: float = field(default_factory=time.monotonic)
    step: int | None = None
    told: float = 0.0
    asked: float = 0.0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def in_vain(self, found: Sequence[Missing]) -> bool:
        """Tell; whether what is missing can't come by waiting."""
        now = time.monotonic()
        step = first_step(found)[0].step if found else -1
        if step != self.step:
            self.step, self.told, self.reasons = step, now, []
            self.progress(sentence(found))
        elif now - self.told >= _EVERY:
            self.told = now
            self.progress(f"after {self.seconds:.0f} s: {at_routers(first_step(found))}")
        if found and self.seconds >= _ASK_WHY and now - self.asked >= _EVERY and step > 0:
            self.asked = now
            self._ask_why(first_step(found))
        return any(one.dead for one in found) or any(one.final for one in self.reasons)

    def _ask_why(self, first: Sequence[Missing]) -> None:
        lacking = list(dict.fromkeys(one.node for one in first))
        known = {name: one.known for name, one in self.wanted.items()}
        found = fetch_reasons(self.lab, self.plan, STEPS[first[0].step], lacking, known)
        for one in found[:_LINES]:
            if one not in self.reasons:
                self.progress(f"why: {one.what}")
        self.reasons = found


def _unmodeled_routers(plan: Plan) -> dict[str, str]:
    """The nodes with routing protocols of which the model doesn't know what they do, and why."""
    routers = {node.name for node in plan.nodes if node.routing}
    return {name: why for name, why in unmodeled(plan).items() if name in routers}


def _wanted(plan: Plan, withdrawn: Collection[str], now: Plan) -> dict[str, Wanted]:
    """What every node must know in the lab as it is now, and what it must not."""
    all_, left = expected_routes(plan), expected_routes(now, withdrawn)
    wanted = {}
    for name, learned in left.items():
        before, static = (installed(one.node(name)) for one in (plan, now))
        there = {(one.prefix, one.nic, one.vrf) for one in (*learned.routes, *static)}
        gone = set(all_[name].routes) - set(learned.routes) | set(before) - set(static)
        left_over = tuple(one for one in gone if (one.prefix, one.nic, one.vrf) not in there)
        wanted[name] = Wanted(learned, left_over, name in withdrawn, static)
    return wanted


def installed(node: PlannedNode) -> tuple[PlannedRoute, ...]:
    """The static routes of FRR that are in the kernel: of each prefix those with the least metric, where no link has the
    prefix."""
    links = {(nic.vrf, network) for nic in node.nics for network in nic.networks()}
    mine = {*node.frr_routes(), *(one for vrf in node.vrf_names() for one in node.frr_routes(vrf))}
    return tuple(
        one
        for routes in node.next_hops().values()
        for one in routes
        if one in mine and (one.vrf, one.prefix) not in links
    )


def missing(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[Missing]:
    """What a node doesn't know yet; of one that didn't say all, only what is amiss there."""
    if known.dead or known.silent:
        yield from (Missing(0, node.name, f"{node.name}: {what}", True) for what in known.dead)
        yield from (Missing(0, node.name, f"{node.name}: {what}") for what in known.silent)
        return
    node = without_adjacencies(node, [nic.name for nic in node.nics if nic.cut])
    for step, lacks in enumerate(_LACKS, 1):
        yield from (Missing(step, node.name, what) for what in lacks(node, wanted, known))


def _adjacencies(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    up = {(one.nic, one.neighbor) for one in known.adjacencies if one.state == "Up"}
    for nic in node.routing.isis.nics if node.routing and node.routing.isis else ():
        for neighbor in nic.neighbors:
            if (nic.nic, neighbor.node) not in up:
                yield f"{node.name} has no IS-IS adjacency with {neighbor.node} on {nic.nic}"


def _ospf_neighbors(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    """Full with each neighbor; on a LAN two that are neither designated router nor its backup stay at 2-way."""
    for ospf in node.routing.ospf if node.routing else ():
        states = {(one.nic, one.router_id): one.state for one in known.ospf.get(ospf.version, ())}
        for nic in ospf.nics:
            enough = ("full",) if nic.network == "point-to-point" else ("full", "2-way")
            for one in nic.neighbors:
                state = states.get((nic.nic, one.router_id), "not heard of")
                if state not in enough:
                    yield f"{node.name}: {one.node} on {nic.nic} is {state} in OSPFv{ospf.version}"


def _bfd_sessions(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    """Those of IS-IS and OSPFv3 are between link-local addresses, which the plan doesn't know: they are counted."""
    for bfd in node.routing.bfd if node.routing else ():
        up = [one for one in known.bfd if one.state == "up"]
        for one in bfd.neighbors:
            if one.address is not None and one.address not in {session.peer for session in up}:
                state = next(
                    (session.state for session in known.bfd if session.peer == one.address), "not there"
                )
                yield f"{node.name}: the BFD session with {one.node} at {one.address} is {state}"
        inside = {one.node for one in bfd.neighbors if one.address is None}
        count = sum(session.nic == bfd.nic and session.peer.is_link_local for session in up)
        if count < len(inside):
            names = ", ".join(sorted(inside))
            yield f"{node.name}: {count} of {len(inside)} BFD sessions on {bfd.nic} are up, with {names}"


def _sessions(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    states = {(one.vrf, one.address): one for one in known.sessions}
    for vrf, one in node.routing.sessions() if node.routing else ():
        session = states.get((vrf, one.address))
        if session is None or session.state != "Established":
            seen = f"is {session.state}" if session else "isn't there"
            note = f" ({session.note})" if session and session.note else ""
            yield f"{node.name}: the BGP session with {one.node} at {one.address} {seen}{note}"


def _static(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    for route in wanted.static:
        routes = known.vpns.get(route.vrf, ()) if route.vrf else known.routes
        mine = (one for one in routes if one.prefix == route.prefix and one.protocol == "static")
        if not any(route.kind or one.nic == route.nic for one in mine):
            by = f" by {route.nic}" if route.nic else ""
            in_vrf = f" in {route.vrf}" if route.vrf else ""
            yield f"{node.name}: the static route to {route.prefix}{by} isn't in the kernel{in_vrf}"


def _sids(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    routing = node.routing
    if routing is None or wanted.withdrawn:
        return
    there = {one.prefix for one in known.routes}
    for sid in node.local_sids:
        if sid.by == "static" and sid.prefix not in there:
            yield f"{node.name}: the static SID {sid.prefix} ({sid.frr_behavior}) isn't in the kernel"
    locator = routing.isis_locator
    bound = [
        one
        for one in known.routes
        if locator and one.action and one.prefix.subnet_of(locator.prefix)  # type: ignore[arg-type]
    ]
    if routing.isis and locator:
        actions = [one.action for one in bound if one.protocol == "isis"]
        for action, count in (("End", 1), ("End.X", sum(len(nic.neighbors) for nic in routing.isis.nics))):
            if actions.count(action) < count:
                yield f"{node.name}: IS-IS has bound {actions.count(action)} of {count} {action} SIDs"
    for own in routing.bgp.sids if routing.bgp else ():
        if not any(one.prefix == ip_network(own.sid) for one in known.routes):
            yield f"{node.name}: the SID {own.sid} of BGP isn't in the kernel"
    for vrf in routing.vrfs:
        for one in vrf.sids:
            if ip_network(one.sid) not in there:
                yield f"{node.name}: the SID {one.sid} of {vrf.name} isn't in the kernel"


def _routes(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    if node.routing and node.routing.learns_inside:
        yield from _lacked(node, wanted, known)


def _customers_routes(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    """A router without IS-IS and OSPF learns from the VPN, so it is the last to."""
    if node.routing and not node.routing.learns_inside:
        yield from _lacked(node, wanted, known)


def _lacked(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    """Of a prefix that is steered into policies the agent's route stands there, as long as a policy is valid."""
    there = {(one.prefix, one.nic, one.segments) for one in known.routes}
    steered = {one.prefix for one in node.headend.steered} if node.headend else set()
    for route in wanted.known.routes:
        if (route.prefix, route.nic, route.segments) not in there and route.prefix not in steered:
            over = f" over {route.segments[0]}" if route.segments else ""
            instead = [one for one in known.routes if one.prefix == route.prefix]
            yield f"{node.name} has no route to {route.prefix} by {route.nic}{over}{_but(instead)}"
    for route in wanted.gone:
        if (route.prefix, route.nic, route.segments) in there:
            yield f"{node.name} still has a route to {route.prefix}"


def _but(there: Sequence[Route]) -> str:
    """What a prefix has in the place of the route that it lacks."""
    words = [f"a {one.kind}" if one.kind else f"one by {one.nic}" for one in there]
    by_hand = ", laid by hand" if any(one.protocol in ("", "boot") for one in there) else ""
    return f", but {' and '.join(words)}{by_hand}" if words else ""


def _vpn_routes(node: PlannedNode, wanted: Wanted, known: NodeState) -> Iterator[str]:
    for vrf, routes in wanted.known.vpns.items():
        there = {(one.prefix, one.segments) for one in known.vpns.get(vrf, ())}
        for route in routes:
            if (route.prefix, (route.sid,)) not in there:
                yield f"{node.name} has no route to {route.prefix} over {route.sid} in {vrf}"
        by_links = {(one.prefix, one.nic.removeprefix("at-")) for one in known.vpns.get(vrf, ())}
        for way in wanted.known.over_links.get(vrf, ()):
            if (way.prefix, way.nic) not in by_links:
                yield f"{node.name} has no route to {way.prefix} by {way.nic} in {vrf}"
        if surplus := {sid for _, sids in there for sid in sids} - {route.sid for route in routes}:
            yield f"{node.name} still sends to {', '.join(map(str, sorted(surplus)))} in {vrf}"


_LACKS = (
    _static,
    _adjacencies,
    _ospf_neighbors,
    _bfd_sessions,
    _sessions,
    _sids,
    _routes,
    _vpn_routes,
    _customers_routes,
)


def first_step(found: Sequence[Missing]) -> list[Missing]:
    """What is missing of the first step that isn't done."""
    step = min(one.step for one in found)
    return [one for one in found if one.step == step]


def sentence(found: Sequence[Missing]) -> str:
    """What is being waited for, in a line."""
    if not found:
        return "converged"
    first = first_step(found)
    more = f" and {len(first) - 1} more" if len(first) > 1 else ""
    return f"waiting for {STEPS[first[0].step]}: {first[0].what}{more}"


def at_routers(first: Sequence[Missing]) -> str:
    """What is missing at which router, in a line."""
    nodes = Counter(one.node for one in first)
    several = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in nodes.items())
    return f"{STEPS[first[0].step]} are missing at {several}: {first[0].what}"


def _gave_up(plan: Plan, found: Sequence[Missing], lab: Instance, waited: _WaitingFor) -> NodeError:
    lines = [f"not converged after {waited.seconds:.0f} s, {STEPS[found[0].step]} are missing"]
    lines += [f"  {one.what}" for one in found[:_LINES]]
    lines += [f"  … and {len(found) - _LINES} more"] if len(found) > _LINES else []
    lines += [f"  why: {one.what}" for one in waited.reasons[:_LINES]]
    drifts = survey(lab, plan).drifts()
    lines += [f"  FRR of {node} isn't as Day0 left it: {line}" for node, line in drifts]
    mend = f"the lab is still up: invoke connect {plan.called} --node {found[0].node}, then vtysh"
    return NodeError("\n".join(lines), mend)


@dataclass(frozen=True, slots=True)
class Survey:
    """What all nodes with routing protocols know at one time, against what they must; `machines` are those that are
    modeled."""

    wanted: Mapping[str, Wanted]
    known: Mapping[str, NodeState]
    machines: Mapping[str, PlannedNode]

    def lacks(self) -> list[tuple[str, str]]:
        """What is missing of the first step that isn't done, each with its node."""
        found = [
            one
            for name, node in self.machines.items()
            for one in missing(node, self.wanted[name], self.known[name])
        ]
        return [(one.node, one.what) for one in first_step(found)] if found else []

    def drifts(self) -> list[tuple[str, str]]:
        """The nodes whose FRR runs another configuration than the one that Day0 gave it, and what of it."""
        return [(name, line) for name, known in self.known.items() for line in known.drift]

    def bound(self) -> dict[str, list[tuple[str, str]]]:
        """The (SID, behavior) pairs that IS-IS has bound in the kernel of each node that could be asked."""
        return {
            name: [
                (str(one.prefix.network_address), one.action)
                for one in known.routes
                if one.action and one.protocol == "isis"
            ]
            for name, known in self.known.items()
            if known.routes or not known.silent
        }

    def mechanisms(self) -> dict[str, str]:
        """What serves the VPNs of each node that has any."""
        return {name: known.mechanism for name, known in self.known.items() if known.mechanism}


def survey(lab: Instance, plan: Plan) -> Survey:
    """Ask every node with routing protocols once, all at the same time; one that can't be asked is `silent`."""
    nodes = {node.name: node for node in plan.nodes if node.routing}

    def ask(node: PlannedNode) -> NodeState:
        try:
            return fetch_node_state(lab, node)
        except NodeError as error:
            return NodeState(silent=(error.what.removeprefix(f"{node.name} "),))

    known = dict(zip(nodes, at_once(ask, list(nodes.values())), strict=True))
    modeled = {name: node for name, node in nodes.items() if name not in _unmodeled_routers(plan)}
    return Survey(_wanted(plan, (), plan), known, modeled)
