"""What a planned lab needs of a machine, by the names of findings."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.engines import named
from srv6lab.images import frr_root
from srv6lab.plan.actions import needs
from srv6lab.plan.converged.parted_vpns import parted_vpns
from srv6lab.plan.frr.vpn import beyond_namespaces
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.providers import needs_root

from .findings import Need
from .probes import HMAC, PROXY, SOURCE, VRF, VRF_NETNS, bound, mode


def of_lab(plan: Plan) -> tuple[Need, ...]:
    """What a lab needs in namespaces besides what every lab does: each need once, with who needs it first."""
    found: dict[tuple[str, ...], Need] = {}
    for need in (*_of_machines(plan), *_of_parted_vpns(plan), *_of_exercises(plan)):
        found.setdefault(need.names, need)
    return tuple(found.values())


def memory(plan: Plan) -> int:
    """MB that the lab's virtual machines take together."""
    return sum(node.memory for node in plan.nodes)


def _of_machines(plan: Plan) -> Iterator[Need]:
    for node in plan.nodes:
        yield from _of_machine(node)


def _of_machine(node: PlannedNode) -> Iterator[Need]:
    if node.routing and not frr_root.is_here():
        yield Need(("mmdebstrap",), f"{node.name} runs FRR, whose root file system isn't built yet")
    if node.hmac_keys:
        yield Need((HMAC,), f"{node.name} has keys of HMACs")
    if source := needs_root.source(node):
        yield Need((SOURCE,), f"{node.name} encapsulates from {source}")
    for policy in node.steering:
        yield Need((mode(policy.mode),), f"{node.name} steers into {len(policy.segments)} segments")
    for frames in node.frames:
        yield Need((mode(frames.mode),), f"{node.name} steers frames of {frames.by}")
    for nic in node.nics:
        if nic.circuit:
            yield Need(("nftables rule",), f"{nic.point} takes frames for any MAC")
    for vrf in node.vrf_names():
        yield Need((VRF, VRF_NETNS), f"VRF {vrf} of {node.name}")
    for name, other, what in beyond_namespaces(node.routing.vrfs if node.routing else ()):
        yield Need((VRF,), f"{name} of {node.name} takes {what} from {other}")
    for local in node.local_sids:
        name = bound(local.behavior.name, local.flavors)
        yield Need((name, *([VRF_NETNS] if local.vrf else [])), f"SID {local.sid} of {node.name}")
    for steered in node.headend.steered if node.headend else ():
        yield Need((mode(steered.mode),), f"{node.name} steers {steered.prefix} by SR policies")
    for sid in node.headend.binding_sids if node.headend else ():
        yield Need((bound("End.B6.Encaps", ()),), f"binding SID {sid} of {node.name}")
    for proxy in node.proxies:
        yield Need((PROXY,), f"SID {proxy.sid} of {node.name}")
    for service in node.services:
        names = tuple(one.name for one in named(service.engine))
        yield Need(names, f"service {service.name} on {node.name}")


def _of_exercises(plan: Plan) -> Iterator[Need]:
    for exercise in plan.exercises:
        for action in exercise.every_action():
            yield from (Need((name,), why) for name, why in needs(action, exercise.name))


def _of_parted_vpns(plan: Plan) -> Iterator[Need]:
    for node, vrf, hop, _ in parted_vpns(plan):
        yield Need((VRF,), f"{vrf} of {node.name} reaches {hop} by several ways")
