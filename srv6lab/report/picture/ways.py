"""The way of a probe's packet as the model says it, for a picture: from which NIC to which it goes, in order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Prediction
from srv6lab.plan.nodes import Plan


@dataclass(frozen=True, slots=True)
class Way:
    """`words` say whose way it is; each step is the NIC that a packet leaves and the one that it comes to."""

    words: str
    steps: tuple[tuple[Point, Point], ...]

    def links(self, plan: Plan) -> frozenset[str]:
        """The links that it goes over."""
        names = {nic.point: nic.link for nic in plan.nics()}
        return frozenset(names[point] for step in self.steps for point in step if point in names)


NOWHERE = Way("", ())


def way(exercise: str, prediction: Prediction) -> Way:
    """The first of the ways there that the RFCs permit."""
    hops = prediction.rfc[0].hops if prediction.rfc else ()
    steps = tuple(
        (out.point, into.point)
        for out, into in pairwise(hops)
        if out.direction is Direction.OUT and into.direction is Direction.IN
    )
    return Way(f"{exercise}, probe {prediction.probe}: the way there", steps)
