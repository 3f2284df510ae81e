"""Waiting until the routing protocols of a lab have converged: never for the clock, always for what isn't there
yet, which is named while it lasts.

What has to be there is what `expected_routes` derives from the plan. Only the first step that isn't done is named: a
session can't come up before the adjacencies below it, nor a VPN's route before the session.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from srv6lab.called import CALLED
from srv6lab.errors import NodeError
from srv6lab.host.progress import Progress
from srv6lab.host.waiting import at_once, wait_until
from srv6lab.live.instance import Instance
from srv6lab.live.lacking import STEPS, Missing, Wanted, first_step, missing, unmodeled_routers, wanted_by
from srv6lab.live.node_state import fetch_node_state
from srv6lab.live.survey import survey
from srv6lab.live.why import Reason, fetch_reasons
from srv6lab.plan.nodes import Plan

PATIENCE = 60.0
UNMODELED_PATIENCE = 20.0  # where some of it may never come
_INTERVAL = 0.2
_ASK_WHY = 5.0  # seconds: what comes by itself mostly has come by then
_EVERY = 10.0
_LINES = 8


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
    wanted = wanted_by(plan, withdrawn, now)
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

    unknown = unmodeled_routers(plan)
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
    mend = f"the lab is still up: {CALLED} connect {plan.running} --node {found[0].node}, then vtysh"
    return NodeError("\n".join(lines), mend)
