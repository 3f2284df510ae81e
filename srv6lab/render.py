"""Plan → {path: text}. The only room that knows Jinja2; an unknown name in a template is an error.

What reaches a shell goes through `sh`, the one quoting function for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from srv6lab.plan import Machine, Plan

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


def render(plan: Plan) -> Mapping[str, str]:
    """Every file of the lab by its path: `day0/<node>.sh`. The same plan gives the same bytes."""
    return {day0_path(machine): _day0(plan, machine) for machine in plan.machines}


def day0_path(machine: Machine) -> str:
    return f"day0/{machine.name}.sh"


def _day0(plan: Plan, machine: Machine) -> str:
    template = _environment().get_template(f"day0/{machine.role}.sh.j2")
    return template.render(lab=plan.name, machine=machine, path=day0_path(machine))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # these are shell scripts, not HTML: `sh` quotes
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    return environment
