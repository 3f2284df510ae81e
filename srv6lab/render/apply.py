"""What an exercise changes in a running lab, as scripts for its nodes."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.plan.actions import PlannedChange, changes
from srv6lab.plan.nodes import Plan
from srv6lab.render.templates import template
from srv6lab.topology.actions import Action


@dataclass(frozen=True, slots=True)
class Change:
    """What an exercise changes in a node: scripts that do it, take it back, and print what it counted."""

    what: str
    node: str
    do: str
    undo: str
    count: str = ""
    counter: str = ""


def changes_of(plan: Plan, action: Action) -> tuple[Change, ...]:
    """An action of an exercise as scripts for its nodes. Taking back twice does no harm."""
    return tuple(map(_scripts, changes(action, plan)))


def _scripts(planned: PlannedChange) -> Change:
    def script(work: str) -> str:
        return template(f"apply/{planned.template}.sh.j2", **planned.values, work=work)

    count = script("count") if planned.counter else ""
    return Change(planned.what, planned.node, script("put"), script("take"), count, planned.counter)
