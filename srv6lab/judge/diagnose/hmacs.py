"""What may keep a node from taking, or from making, an SRH with an HMAC."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.nodes import PlannedNode


def of_node(node: PlannedNode, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """Of a packet that came to a node and went no further: whether an HMAC is asked for, and the keys."""
    if came is not None and came.packet.outer.srh is not None and node.hmac_check != "required":
        yield suspect("hmac-required", node.name, nic=came.point.nic)
    yield from of_keys(node, came, out)


def of_keys(node: PlannedNode, *hops: Hop | None) -> Iterator[Suspect]:
    """The keys of the HMACs that a packet has there."""
    srhs = [hop.packet.outer.srh for hop in hops if hop is not None]
    numbers = {srh.hmac for srh in srhs if srh is not None}
    for key in node.hmac_keys:
        if key.number in numbers:
            about = {"key": key.number, "algorithm": key.algorithm, "secret": key.secret.decode()}
            yield suspect("hmac-key", node.name, **about)
