"""A link that carries nothing: both of its NICs take nothing in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan
from srv6lab.topology.actions.cut import CutAction


@changes.register
def _(action: CutAction, plan: Plan) -> tuple[PlannedChange, ...]:
    link = action.cut.link
    return tuple(
        PlannedChange(
            f"{nic.point} takes nothing in: link {link} is cut",
            nic.point.node,
            "cut",
            {"nic": nic.name, "vrf": nic.vrf},
            calls=("nft",),
        )
        for nic in plan.nics()
        if nic.link == link
    )


@changed.register
def _(action: CutAction, lab: ChangedLab) -> ChangedLab:
    return replace(lab, cut=lab.cut | {action.cut.link})


@needs.register
def _(action: CutAction, exercise: str) -> Iterator[tuple[str, str]]:
    yield "nftables rule", f"link {action.cut.link}, which exercise {exercise} cuts"
