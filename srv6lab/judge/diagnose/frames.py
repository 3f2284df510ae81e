"""Why a frame doesn't go into SRv6 as planned: the headend that should put it there, the node that should send it."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Suspect
from srv6lab.judge.diagnose.causes import suspect
from srv6lab.plan.nodes import PlannedNode


def not_steered(node: PlannedNode, came: Hop | None, out: Hop) -> Iterator[Suspect]:
    """A frame that came to its headend and didn't leave as planned. What only an exercise steered is taken back before
    anybody asks."""
    mine = [one for one in node.frames if came and one.by == came.point.nic]
    to = out.packet.innermost.destination
    for one in mine:
        prefix = next((prefix for prefix in one.prefixes if to in prefix), None)
        if prefix is None:
            continue
        about = {"version": f"-{to.version}", "nic": one.by, "table": one.table}
        shown = str(prefix) if prefix.prefixlen else "default"
        yield suspect("frames-not-taken", node.name, nic=one.by)
        yield suspect("frames-not-steered", node.name, **about, prefix=shown)
        segments = " ".join(map(str, one.segments))
        yield suspect(
            "frames-steered-otherwise", node.name, **about, prefix=shown, segments=segments, mode=one.mode
        )


def unknown_neighbor(node: PlannedNode, nic: str) -> Iterator[Suspect]:
    """The neighbors behind SRv6 that a node may not know, or with another MAC."""
    for one in node.neighbors:
        if one.nic == nic:
            yield suspect("neighbor-not-fixed", node.name, neighbor=one.address, nic=one.nic, mac=one.mac)
