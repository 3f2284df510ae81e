"""The routes by which a probe's flows part: whether the kernel has them as Day0 left them.

Flows are too few to tell shares that are near each other; the route that the kernel has tells them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise

from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Direction
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.evidence.verdict import Item, RouteParts, Status
from srv6lab.judge.diagnose.drift import met
from srv6lab.judge.diagnose.passing import passings
from srv6lab.plan.nodes import Plan


def judge_routes(
    plan: Plan, predicted: Mapping[str, Prediction], differences: Sequence[Difference]
) -> Iterator[Item]:
    """A failure for each route that parts flows and differs; what else differs is no failure by itself."""
    routes = [one for one in differences if one.section == "route"]
    for probe, prediction in predicted.items() if routes else ():
        if prediction.meanwhile:
            continue
        parting = {hop.point.place: hop for hop in _parting(prediction)}
        for one in met(plan, routes, [*passings(plan, {probe: prediction})]):
            hop = parting.get(one.place)
            parts = {line.split()[0] for line in (*one.gone, *one.new) if " nexthop " in line}
            if hop and parts and _shares(one.gone, parts) != _shares(one.new, parts):
                note = f"{one.node} parts the flows by a route that isn't as Day0 left it: {'; '.join(one.lines())}"
                yield RouteParts(
                    status=Status.FAIL,
                    point=hop.point,
                    direction=hop.direction,
                    field="route",
                    probe=probe,
                    note=note,
                )


_NEXT_HOP = re.compile(r"(?:segs \d+ \[ ([^\]]*)\] )?(?:via (?:inet6 )?(\S+) )?dev (\S+)(?: weight (\d+))?")


def _shares(lines: Sequence[str], prefixes: Set[str]) -> dict[str, frozenset[tuple[str, str, str]]]:
    """Of the routes to some prefixes the segments, the NIC and the weight of each next hop."""
    return {
        line.split()[0]: frozenset(
            (segs, nic, weight or "1") for segs, _, nic, weight in _NEXT_HOP.findall(line)
        )
        for line in lines
        if line.split()[0] in prefixes
    }


def _parting(prediction: Prediction) -> Iterator[Hop]:
    """Where a node's flows leave by several ways: the first hop of each walk that others don't share."""
    for trace in prediction.linux:
        ways = [other for other in prediction.linux if other.leg is trace.leg]
        for came, out in pairwise(trace.hops):
            if out.direction is Direction.OUT and any(
                came in other.hops and out not in other.hops for other in ways
            ):
                yield out
