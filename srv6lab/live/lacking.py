"""What a router must know once everything has converged, and what of it isn't there yet, step by step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from srv6lab.live.node_state import NodeState, Route
from srv6lab.plan.converged import expected_routes
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedRoute
from srv6lab.plan.own import unmodeled
from srv6lab.plan.replaced import without_adjacencies

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


def unmodeled_routers(plan: Plan) -> dict[str, str]:
    """The nodes with routing protocols of which the model doesn't know what they do, and why."""
    routers = {node.name for node in plan.nodes if node.routing}
    return {name: why for name, why in unmodeled(plan).items() if name in routers}


def wanted_by(plan: Plan, withdrawn: Collection[str], now: Plan) -> dict[str, Wanted]:
    """What every node must know in the lab as it is now, and what it must not."""
    all_ = expected_routes(plan)
    left = expected_routes(now, withdrawn) if withdrawn or now is not plan else all_
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
