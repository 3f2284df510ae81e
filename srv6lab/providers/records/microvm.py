"""Network namespaces under another kernel: `microvm:VERSION`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srv6lab.images import SUITES
from srv6lab.providers.base import Provider, Record

if TYPE_CHECKING:
    from srv6lab.plan.nodes import Plan
    from srv6lab.render.files import Files


def _make(record: Record) -> Provider:
    from srv6lab.providers.microvm import Microvm  # for Linux only

    return Microvm(record)


def _rendering(plan: Plan) -> Files:
    from srv6lab.render.day0 import render

    return render(plan)


RECORDS = tuple(
    Record(
        name=f"microvm:{kernel}",
        kind="microvm",
        summary=f"network namespaces in a micro-VM, on Debian's kernel {kernel}",
        make=_make,
        rendering=_rendering,
        doctor="netns",
        kernel=kernel,
        linux_only=True,
    )
    for kernel in SUITES
)
