"""A node that is dead to all others: all of its links are down at once."""

from __future__ import annotations

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.actions.link import down, with_down
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.stop import StopAction


@changes.register
def _(action: StopAction, plan: Plan) -> tuple[PlannedChange, ...]:
    node = plan.node(action.stop.node)
    return down(plan, f"{node.name} is stopped", {nic.point for nic in node.nics}) if node.nics else ()


@changed.register
def _(action: StopAction, lab: ChangedLab) -> ChangedLab:
    return with_down(lab, {nic.point for nic in lab.plan.node(action.stop.node).nics})
