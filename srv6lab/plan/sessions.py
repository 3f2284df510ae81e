"""BGP sessions that can't come up by what the routers know, told before a lab waits for them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.errors import Problem
from srv6lab.plan.converged import Converged
from srv6lab.plan.converged.bgp.sessions import TTL, Reach, directions, sessions_of
from srv6lab.plan.converged.bgp.values import Session
from srv6lab.plan.nodes import Locate, Plan
from srv6lab.plan.own import unmodeled


def unreached(plan: Plan, whole: Converged, locate: Locate) -> Iterator[Problem]:
    """The sessions whose ends don't reach each other. Nothing is said where a node does what nobody knows."""
    if unmodeled(plan):
        return
    reach = Reach(plan, whole.ribs)
    for one in (one for all_ in sessions_of(plan).values() for one in all_):
        if not reach.is_up(one):
            yield Problem(locate(_place(plan, one)), *_words(one, reach))


def _place(plan: Plan, one: Session) -> tuple[str | int, ...]:
    routing = plan.node(one.here.node).routing
    neighbors = routing.bgp.neighbors if routing and routing.bgp else ()
    index = next(
        (n for n, it in enumerate(neighbors) if (it.local, it.address) == (one.local, one.remote)), 0
    )
    return "nodes", one.here.node, "bgp", "neighbors", index, "node"


def _words(one: Session, reach: Reach) -> tuple[str, str]:
    """Of the way there, else of the way back."""
    hops = {end: reach.hops(*end) for end in directions(one)}
    (start, to), far = next(
        (end, far) for end, far in hops.items() if far is None or far > (one.multihop or TTL)
    )
    if far is None:
        what = f"{start} has no route to {to}, so the session with {one.there.node} can't come up"
        return what, f"add a static route on {start}, or a routing protocol that announces the loopbacks"
    what = f"{to} is {far} links away from {start}, and the session may pass {one.multihop}"
    return what, f"say `multihop: {far}` at both ends"
