"""Plan → {path: text}. The only room that knows Jinja2; an unknown name in a template is an error.

What reaches a shell goes through `sh`, and what reaches Ruby through `ruby`: one quoting function each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from srv6lab.plan.frr import NEEDED
from srv6lab.plan.nodes import Machine, Plan
from srv6lab.topology.actions import (
    CutAction,
)

if TYPE_CHECKING:
    pass
from srv6lab.render.templates import template

NAMES = "/var/lib/srv6lab/nics"


def render(plan: Plan) -> Mapping[str, str]:
    """Every file of the lab by its path: `day0/<node>.sh`. The same plan gives the same bytes."""
    return day0_scripts(plan)


def day0_scripts(plan: Plan) -> dict[str, str]:
    """Day0 of every machine by its path: what a node runs, wherever it runs."""
    return {day0_path(machine): _day0(plan, machine) for machine in plan.machines}


def day0_path(machine: Machine) -> str:
    return f"day0/{machine.name}.sh"


def _day0(plan: Plan, machine: Machine) -> str:
    name = f"day0/{machine.role}.sh.j2"
    conf = template("frr/frr.conf.j2", machine=machine) if machine.routing else ""
    needed = ".".join(map(str, NEEDED))
    told = machine.headend.document(NAMES) if machine.headend else {}
    cut = {
        one.cut.link for each in plan.exercises for one in each.every_action() if isinstance(one, CutAction)
    }
    flows = machine.headend.flows if machine.headend else ()
    return template(
        name,
        lab=plan.name,
        machine=machine,
        path=day0_path(machine),
        frr_conf=conf,
        frr_needed=needed,
        policies=json.dumps(told, indent=1, sort_keys=True),
        nft=bool(flows) or any(nic.link in cut for nic in machine.nics),
    )
