"""Plan → {path: text}. The only room that knows Jinja2; an unknown name in a template is an error.

What reaches a shell goes through `sh`, and what reaches Ruby through `ruby`: one quoting function each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from srv6lab.engines import named
from srv6lab.host.system import dotted
from srv6lab.plan.actions import changes
from srv6lab.plan.frr import NEEDED
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.render.templates import template
from srv6lab.topology.sid_structure import WHOLE

NAMES = "/var/lib/srv6lab/nics"
PATIENCE = 300  # seconds for one of a lab's own commands


def render(plan: Plan) -> Mapping[str, str]:
    """Every file of the lab by its path: `day0/<node>.sh`. The same plan gives the same bytes."""
    return day0_scripts(plan)


def day0_scripts(plan: Plan) -> dict[str, str]:
    """Day0 of every machine by its path: what a node runs, wherever it runs."""
    return {day0_path(node): day0_script(plan, node) for node in plan.nodes}


def day0_path(node: PlannedNode) -> str:
    return f"day0/{node.name}.sh"


def day0_script(plan: Plan, node: PlannedNode) -> str:
    """What one node runs, as often as it is to be as it was planned."""
    name = f"day0/{node.role}.sh.j2"
    conf = template("frr/frr.conf.j2", node=node) if node.routing else ""
    told = node.headend.document(NAMES) if node.headend else {}
    flows = node.headend.flows if node.headend else ()
    return template(
        name,
        engines=named,
        lab=plan.name,
        node=node,
        path=day0_path(node),
        frr_conf=conf,
        frr_needed=dotted(NEEDED),
        whole=WHOLE,
        policies=json.dumps(told, indent=1, sort_keys=True),
        limit=PATIENCE,
        nft=bool(flows) or any(nic.circuit for nic in node.nics) or "nft" in _called(plan, node),
    )


def _called(plan: Plan, node: PlannedNode) -> set[str]:
    """The commands that what exercises change in a node calls."""
    actions = (action for exercise in plan.exercises for action in exercise.every_action())
    every = (change for action in actions for change in changes(action, plan))
    return {call for change in every if change.node == node.name for call in change.calls}
