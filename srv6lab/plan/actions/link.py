"""A NIC that is down. Linux takes routes, SIDs and IPv6 addresses away with it: Day0, run again, brings them back."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import replace

from srv6lab.evidence.packets import Point
from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.plan.replaced import without_neighbors, without_nics
from srv6lab.topology.actions.link import LinkAction


@changes.register
def _(action: LinkAction, plan: Plan) -> tuple[PlannedChange, ...]:
    return down(plan, f"{action.link.at} is down", {action.link.point})


def down(plan: Plan, what: str, points: Set[Point]) -> tuple[PlannedChange, ...]:
    """What takes some NICs of one node down. Their other ends are waited for: after it, and, since changes are taken
    back in the order of the last to the first, after it was taken back. On a bridge these keep their carrier, and would
    send to a MAC that they remember."""
    nics = tuple(nic for nic in plan.nics() if nic.point in points)
    node = nics[0].point.node
    there = PlannedChange(what, node, "link", {"nics": nics}, again=True, renewed=True)
    others = [nic for nic in plan.nics() if nic.point not in points and not nic.vrf and not nic.bridged]
    far = [nic for nic in others if nic.peer in points]
    back = (_carrier(nic, f"{nic.point} has its carrier back afterwards", "take") for nic in far)
    gone = (_carrier(nic, f"{nic.point} loses its carrier", "put") for nic in far)
    bridged = [
        nic for nic in plan.nics() if nic.bridged and nic.point not in points and points & {*nic.peers}
    ]
    return (*back, there, *gone, *map(_forgetting, bridged))


def _forgetting(nic: Nic) -> PlannedChange:
    values = {"nic": nic.name, "vrf": nic.vrf}
    return PlannedChange(
        f"{nic.point} forgets its neighbors", nic.point.node, "neighbors", values, waits=True
    )


def _carrier(nic: Nic, what: str, when: str) -> PlannedChange:
    return PlannedChange(what, nic.point.node, "carrier", {"nic": nic.name, "when": when}, waits=True)


@changed.register
def _(action: LinkAction, lab: ChangedLab) -> ChangedLab:
    return with_down(lab, {action.link.point})


def with_down(lab: ChangedLab, points: Collection[Point]) -> ChangedLab:
    """The lab with these NICs down, too."""
    all_down = lab.down | {*points}

    def told(node: PlannedNode) -> PlannedNode:
        gone = {nic.name for nic in node.nics if nic.point in all_down}
        silent = {nic.name for nic in node.nics if nic.peer in all_down and not nic.bridged}
        node = without_neighbors(node, all_down)
        return without_nics(node, gone, silent) if gone or silent else node

    return replace(lab.with_nodes(told), down=all_down)
