"""Another MTU at both ends of a link. Senders remember what routers told them of it, so every node takes part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.actions.mtu import MtuAction


@changes.register
def _(action: MtuAction, plan: Plan) -> tuple[PlannedChange, ...]:
    return tuple(_of_nodes(action.mtu.link, action.mtu.to, plan))


def _of_nodes(link: str, mtu: int, plan: Plan) -> Iterator[PlannedChange]:
    """The ends' changes stand last, so they are taken back first."""
    for node in plan.nodes:
        what = f"{node.name} forgets afterwards what it is told of MTUs"
        values = {"nic": "", "mtu": mtu, "before": 0, "vrf": "", "vrfs": node.vrf_names()}
        yield PlannedChange(what, node.name, "mtu", values, renewed=True)
    for nic in plan.nics():
        if nic.link == link:
            values = {"nic": nic.name, "mtu": mtu, "before": nic.mtu, "vrf": nic.vrf, "vrfs": ()}
            yield PlannedChange(
                f"{nic.point} has an MTU of {mtu}", nic.point.node, "mtu", values, renewed=True
            )


@changed.register
def _(action: MtuAction, lab: ChangedLab) -> ChangedLab:
    def resized(node: PlannedNode) -> PlannedNode:
        nics = (replace(nic, mtu=action.mtu.to) if nic.link == action.mtu.link else nic for nic in node.nics)
        return replace(node, nics=tuple(nics))

    return lab.with_nodes(resized)
