"""Why something is still missing: not what `up` waits for, but what keeps it from coming. It is asked of all routers at
once, at both ends, and only of what two ends say that don't agree, or what FRR says itself, a reason is made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from srv6lab.host.waiting import at_once
from srv6lab.live.instance import Instance
from srv6lab.live.why.answers import Answers, fetch_answers
from srv6lab.live.why.bgp import of_sessions
from srv6lab.live.why.isis import of_isis
from srv6lab.live.why.reason import Reason
from srv6lab.live.why.vpn import of_sids, of_vpn_routes
from srv6lab.plan.learned import ExpectedRoutes
from srv6lab.plan.nodes import Plan

__all__ = ["Reason", "fetch_reasons", "reasons"]


def fetch_reasons(
    lab: Instance, plan: Plan, step: str, lacking: Collection[str], wanted: Mapping[str, ExpectedRoutes]
) -> list[Reason]:
    """Why the nodes in `lacking` haven't what is missing in this step of waiting."""
    routers = [node for node in plan.nodes if node.routing]
    told = at_once(partial(fetch_answers, lab), routers)
    answers = {node.name: one for node, one in zip(routers, told, strict=True) if one is not None}
    return reasons(plan, step, lacking, wanted, answers)


def reasons(
    plan: Plan,
    step: str,
    lacking: Collection[str],
    wanted: Mapping[str, ExpectedRoutes],
    answers: Mapping[str, Answers],
) -> list[Reason]:
    """Each once, though both ends lack it. What is final explains the rest."""
    found = [one for name in lacking for one in _of_step(plan, step, name, wanted, answers)]
    return list(dict.fromkeys([one for one in found if one.final] or found))


def _of_step(
    plan: Plan,
    step: str,
    name: str,
    wanted: Mapping[str, ExpectedRoutes],
    answers: Mapping[str, Answers],
) -> Iterator[Reason]:
    node = plan.node(name)
    if step == "IS-IS adjacencies":
        yield from of_isis(node, answers)
    elif step == "BGP sessions":
        yield from of_sessions(node, answers)
    elif step == "SIDs":
        yield from of_sids(node, answers)
    elif step in ("VPN routes", "customers' routes") and name in wanted:
        yield from of_vpn_routes(plan, node, wanted[name], answers)
