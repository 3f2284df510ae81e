"""What each packet of a probe must look like at every NIC, with no machine: the second witness."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srv6lab.plan import Plan
from srv6lab.predict.network import Lab
from srv6lab.predict.origin import answer, request
from srv6lab.predict.walk import Ended, walks
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.topology import Action, Exercise, Probe
from srv6lab.trace import Leg, Prediction, Trace

RFC: frozenset[str] = frozenset()
LINUX: frozenset[str] = frozenset(QUIRKS)


def predict(plan: Plan, exercise: str) -> tuple[Prediction, ...]:
    """A prediction for every probe of an exercise, in the order in which they are sent; KeyError if the plan
    has no such exercise."""
    _, found = plan.exercise(exercise)
    return tuple(
        Prediction(
            probe.id,
            tuple(traces(lab, probe, RFC)),
            tuple(traces(lab, probe, LINUX)),
        )
        for lab, probes in _stages(plan, found)
        for probe in probes
    )


def _stages(plan: Plan, exercise: Exercise) -> Iterator[tuple[Lab, Sequence[Probe]]]:
    """The lab as it is while some of the probes are sent, as `apply` makes it."""
    applied: tuple[Action, ...] = exercise.apply
    if exercise.probes:
        yield Lab(plan, applied), exercise.probes
    for step in exercise.steps:
        yield Lab(plan, (*applied, *step.apply)), step.probes


def traces(lab: Lab, probe: Probe, quirks: frozenset[str]) -> Iterator[Trace]:
    """A probe's walks there and, of what was delivered, back."""
    there = list(walks(lab, request(lab.plan, probe), probe.source, quirks))
    yield from (_trace(probe, Leg.THERE, one) for one in there)
    answered: set[tuple[object, str]] = set()
    for one in there:
        reply = answer(one.walk.packet) if one.end.delivered else None
        if reply is None or (reply, one.end.place) in answered:
            continue
        answered.add((reply, one.end.place))
        yield from (_trace(probe, Leg.BACK, back) for back in walks(lab, reply, one.end.place, quirks))


def _trace(probe: Probe, leg: Leg, one: Ended) -> Trace:
    walk = one.walk
    return Trace(probe.id, leg, walk.hops, one.end, walk.share, walk.counted)
