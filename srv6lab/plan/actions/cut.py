"""A link that carries nothing: both of its NICs take nothing in. Routing protocols find out when they hear of no neighbor
there any longer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.frr import Routing
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.topology.actions.cut import CutAction


@changes.register
def _(action: CutAction, plan: Plan) -> tuple[PlannedChange, ...]:
    link = action.cut.link
    routers = {node.name: node.routing for node in plan.nodes}
    return tuple(
        PlannedChange(
            f"{nic.point} takes nothing in: link {link} is cut",
            nic.point.node,
            "cut",
            {"nic": nic.name, "vrf": nic.vrf, "isis": _has_isis(routers[nic.point.node], nic)},
            calls=("nft",),
        )
        for nic in plan.nics()
        if nic.link == link
    )


@changed.register
def _(action: CutAction, lab: ChangedLab) -> ChangedLab:
    def told(node: PlannedNode) -> PlannedNode:
        nics = (replace(nic, cut=True) if nic.link == action.cut.link else nic for nic in node.nics)
        return replace(node, nics=tuple(nics))

    return replace(lab.with_nodes(told), cut=lab.cut | {action.cut.link})


def _has_isis(routing: Routing | None, nic: Nic) -> bool:
    """Its packets aren't IP, and isisd reads them where none is taken away: so they must not be sent."""
    isis = routing.isis if routing else None
    return isis is not None and any(one.nic == nic.name for one in isis.nics)


@needs.register
def _(action: CutAction, exercise: str) -> Iterator[tuple[str, str]]:
    yield "nftables rule", f"link {action.cut.link}, which exercise {exercise} cuts"
