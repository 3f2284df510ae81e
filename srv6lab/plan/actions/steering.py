"""Another way for a prefix at a headend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srv6lab.plan.actions.change import ChangedLab, PlannedChange, changed, changes, needs
from srv6lab.plan.frames import steered_frames
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.plan.selectors import steered_prefix, with_rules
from srv6lab.topology.actions.steering import SteeringAction
from srv6lab.topology.steering import Steering


@changes.register
def _(action: SteeringAction, plan: Plan) -> tuple[PlannedChange, ...]:
    steering = action.steering
    node = plan.node(steering.headend)
    if steering.of_frames:
        return (_of_frames(steering, node),)
    prefix, policy = steering.prefix, steered_prefix(node, steering)
    vrf, table = steering.match.vrf or "", policy.table if policy else None
    values = {
        "policy": policy,
        "before": next((one for one in node.steering if (one.prefix, one.table) == (prefix, table)), None),
        "routes": tuple(one for one in node.next_hops().get((prefix, table), ()) if not one.frr),
        "prefix": prefix,
        "vrf": vrf,
        "table": table,
        "rules": tuple(one for one in (policy.rule,) if one and one not in node.rules) if policy else (),
    }
    over = " or ".join(", ".join(map(str, one.segments)) for _, one in steering.lists)
    of = f" of the VRF {vrf}" if vrf else ""
    what = f"{node.name} steers {prefix}{of} over {over}"
    return (PlannedChange(what, node.name, "steering", values, renewed=True),)


def _of_frames(steering: Steering, node: PlannedNode) -> PlannedChange:
    frames = steered_frames(steering, node.egress_nic)
    before = [one for one in node.frames if frames and one.by == frames.by]
    what = f"{node.name} steers frames of {steering.match.nic} over {', '.join(map(str, steering.segments))}"
    return PlannedChange(what, node.name, "frames", {"frames": frames, "before": before}, renewed=True)


@changed.register
def _(action: SteeringAction, lab: ChangedLab) -> ChangedLab:
    if action.steering.of_frames:
        return _with_frames(action.steering, lab)

    def steered(node: PlannedNode) -> PlannedNode:
        policy = steered_prefix(node, action.steering) if node.name == action.steering.headend else None
        if policy is None:
            return node
        policies = {(one.prefix, one.table): one for one in (*node.steering, policy)}
        rules = with_rules(node.rules, (policy,))
        return replace(node, steering=tuple(policies.values()), rules=rules)

    return lab.with_nodes(steered)


def _with_frames(steering: Steering, lab: ChangedLab) -> ChangedLab:
    def steered(node: PlannedNode) -> PlannedNode:
        frames = steered_frames(steering, node.egress_nic) if node.name == steering.headend else None
        return replace(node, frames=(*node.frames, frames)) if frames else node

    return lab.with_nodes(steered)


@needs.register
def _(action: SteeringAction, exercise: str) -> Iterator[tuple[str, str]]:
    yield f"seg6 {action.steering.mode}", f"exercise {exercise}"
