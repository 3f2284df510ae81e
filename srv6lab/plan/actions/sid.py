"""A local SID that comes, or goes. Day0, run again, brings back what its prefix had before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.nodes import Plan, PlannedNode, PlannedSid
from srv6lab.plan.replaced import without_prefix
from srv6lab.topology.actions.sid import SidAction


@changes.register
def _(action: SidAction, plan: Plan) -> tuple[PlannedChange, ...]:
    name, sid, added = _found(action, plan)
    what = (
        f"{name} has no SID {sid.sid}" if not added else f"{name} has the SID {sid.sid}, {sid.behavior.name}"
    )
    values = {"sid": sid, "added": added}
    return (PlannedChange(what, name, "sid", values, again=True, renewed=True),)


def _found(action: SidAction, plan: Plan) -> tuple[str, PlannedSid, bool]:
    """The node, its SID, and whether that is added."""
    if add := action.sid.add:
        spare = plan.node(add.node).spare.sids
        return (
            add.node,
            next(one for one in spare if (one.sid, one.behavior.name) == (add.sid, add.behavior)),
            True,
        )
    assert action.sid.delete
    name, sid = action.sid.delete.node, action.sid.delete.sid
    return name, next(one for one in plan.node(name).local_sids if one.sid == sid), False


@changed.register
def _(action: SidAction, lab: ChangedLab) -> ChangedLab:
    name, sid, added = _found(action, lab.plan)

    def bound(node: PlannedNode) -> PlannedNode:
        node = without_prefix(node, sid.prefix)
        return replace(node, local_sids=(*node.local_sids, sid)) if added else node

    return lab.with_node(name, bound)


@needs.register
def _(action: SidAction, exercise: str) -> Iterator[tuple[str, str]]:
    if add := action.sid.add:
        name = f"{add.behavior} with {', '.join(sorted(add.flavors))}" if add.flavors else add.behavior
        yield name, f"SID {add.sid}, which exercise {exercise} adds"
