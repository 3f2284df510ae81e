"""A longer prefix that takes what the headend steers."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.teach.faults.fault import Fault, Kind, at, ip
from srv6lab.teach.faults.scene import Scene


def _find(scene: Scene) -> Iterator[Fault]:
    for visit in scene.routed():
        policy, node = scene.policy(visit), visit.place.node
        line = policy and scene.day0(node, f"route replace {policy.prefix}")
        if not (policy and line and visit.out):
            continue
        to, word = visit.out.packet.innermost.destination, ip(policy.prefix.version)
        for one in (one for other in scene.plan.nodes for one in other.local_sids):
            if one.sid not in policy.segments and policy.prefix.prefixlen < to.max_prefixlen:
                longer = f"{to}/{to.max_prefixlen}"
                other = line.replace(str(policy.prefix), longer).replace(" replace ", " add ")
                other = other.replace(",".join(map(str, policy.segments)), str(one.sid))
                truth = (
                    f"{node} has a route to {longer} over {one.sid}, before the policy for {policy.prefix}"
                )
                yield Fault(node, truth, at(node, other), at(node, f"{word} route del {longer}"))


KIND = Kind(
    "prefix-shadowed",
    2,
    "a longer prefix on the headend takes the traffic before its policy does",
    "The longest prefix wins, also over a policy that stands there as it should: `ip route get` asks for one address.",
    "delete the longer prefix",
    ("policy-shadowed", "policy-differs"),
    _find,
)
