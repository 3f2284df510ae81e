"""A locator that FRR no longer has; IS-IS and BGP follow."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.withdraw import WithdrawAction


@changes.register
def _(action: WithdrawAction, plan: Plan) -> tuple[PlannedChange, ...]:
    node = plan.node(action.withdraw.node)
    what = f"{node.name} withdraws its locator"
    return (PlannedChange(what, node.name, "withdraw", {"routing": node.routing}, renewed=True),)


@changed.register
def _(action: WithdrawAction, lab: ChangedLab) -> ChangedLab:
    return replace(lab, withdrawn=lab.withdrawn | {action.withdraw.node})
