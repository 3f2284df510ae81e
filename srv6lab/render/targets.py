"""The tools that a plan is rendered for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from srv6lab.errors import UsageError

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan
    from srv6lab.render.files import Files


def _vagrant(found: Plan) -> Files:
    from srv6lab.render.vagrant import vagrant

    return vagrant(found)


def _containerlab(found: Plan) -> Files:
    from srv6lab.render.containerlab import containerlab

    return containerlab(found)


DEFAULT_TARGET = "vagrant"
TARGETS: Mapping[str, Callable[[Plan], Files]] = {DEFAULT_TARGET: _vagrant, "containerlab": _containerlab}


def target(name: str) -> Callable[[Plan], Files]:
    """What renders a plan for another tool."""
    try:
        return TARGETS[name]
    except KeyError:
        raise UsageError(f"there is no target {name!r}", f"there are: {', '.join(TARGETS)}") from None
