"""What an exercise changes in a running lab, as scripts for its nodes."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.plan.actions import PlannedChange, changes
from srv6lab.plan.nodes import Plan
from srv6lab.render.day0 import day0_script
from srv6lab.render.templates import template
from srv6lab.topology.actions import Action


@dataclass(frozen=True, slots=True)
class Change:
    """What an exercise changes in a node: scripts that do it, take it back, and print what it counted. `again`, `renewed`,
    `tries`, `lacks` and `waits` are those of the PlannedChange."""

    what: str
    node: str
    do: str
    undo: str
    count: str = ""
    counter: str = ""
    again: bool = False
    renewed: bool = False
    tries: str = ""
    lacks: str = ""
    waits: bool = False


def changes_of(plan: Plan, action: Action) -> tuple[Change, ...]:
    """An action of an exercise as scripts for its nodes. Taking back twice does no harm."""
    return tuple(_scripts(plan, one) for one in changes(action, plan))


def _scripts(plan: Plan, planned: PlannedChange) -> Change:
    def script(work: str) -> str:
        return template(f"apply/{planned.template}.sh.j2", **planned.values, work=work)

    count, undo = script("count") if planned.counter else "", script("take")
    if planned.again:
        undo += day0_script(plan, plan.node(planned.node))
    return Change(
        planned.what,
        planned.node,
        script("put"),
        undo,
        count,
        planned.counter,
        planned.again,
        planned.renewed,
        planned.tries,
        planned.lacks,
        planned.waits,
    )
