"""Commands of an exercise's own. While they hold, the node isn't modeled."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.actions.commands import CommandsAction


@changes.register
def _(action: CommandsAction, plan: Plan) -> tuple[PlannedChange, ...]:
    own = action.commands
    count = f"{len(own.put)} commands" if len(own.put) > 1 else "a command"
    values = {"commands": {"put": own.put, "take": own.back}}
    return (PlannedChange(f"{own.node} runs {count} of the exercise's own", own.node, "commands", values),)


@changed.register
def _(action: CommandsAction, lab: ChangedLab) -> ChangedLab:
    def unknown(node: PlannedNode) -> PlannedNode:
        if node.name != action.commands.node:
            return node
        own = replace(node.own, commands=(*node.own.commands, *action.commands.put))
        return replace(node, own=own)

    return lab.with_nodes(unknown)
