"""Network namespaces on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srv6lab.providers.base import Provider, Record

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan
    from srv6lab.render.files import Files


def _make(record: Record) -> Provider:
    from srv6lab.providers.netns import Netns  # for Linux only; what needs no provider runs anywhere

    return Netns(record)


def _rendering(plan: Plan) -> Files:
    from srv6lab.render.day0 import render

    return render(plan)


RECORDS = (
    Record(
        name="netns",
        kind="netns",
        summary="network namespaces on this machine, on its own kernel",
        make=_make,
        rendering=_rendering,
        doctor="netns",
        linux_only=True,
        changes=True,
    ),
)
