"""What each packet of a probe must look like at every NIC, with no machine: the second witness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from srv6lab.evidence.prediction import Leg, Prediction, Trace
from srv6lab.plan.nodes import Plan
from srv6lab.predict.errors import told
from srv6lab.predict.forwarding import vrf_of, walks
from srv6lab.predict.largest import largest
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.predict.probe_packets import answer
from srv6lab.predict.sending import sent
from srv6lab.predict.walk import Ended
from srv6lab.srv6.quirks import QUIRKS
from srv6lab.topology.actions import Action
from srv6lab.topology.exercises import Exercise, Probe
from srv6lab.topology.places import Place

if TYPE_CHECKING:
    from srv6lab.predict.policy_routes import Elected

RFC: frozenset[str] = frozenset()
LINUX: frozenset[str] = frozenset(QUIRKS)


def predict(plan: Plan, exercise: str) -> tuple[Prediction, ...]:
    """A prediction for every probe of an exercise, in the order in which they are sent; KeyError if the plan
    has no such exercise."""
    _, found = plan.exercise(exercise)
    return tuple(
        Prediction(
            probe.id,
            tuple(one for number, part in _parts(probe) for one in _numbered(number, _all(labs, part, RFC))),
            tuple(
                one for number, part in _parts(probe) for one in _numbered(number, _all(labs, part, LINUX))
            ),
            len(labs) > 1,
            tuple(
                one
                for number, part in _parts(probe)
                for lab in labs
                for one in _numbered(number, _told(lab, part))
            ),
            () if probe.kind.counted else tuple(_largest(labs[-1], probe)),
        )
        for labs, probes in _stages(plan, found)
        for probe in probes
    )


def _parts(probe: Probe) -> Iterator[tuple[int, Probe]]:
    """The probe with each of the hop limits that it has, by the number of the packet; 0 where all are alike."""
    if not probe.kind.grows:
        yield 0, probe
        return
    for number in range(1, probe.count + 1):
        yield number, probe.model_copy(update={"hop_limit": number})


def _numbered(number: int, traces: Iterable[Trace]) -> Iterator[Trace]:
    return (replace(one, number=number) if number else one for one in traces)


def _stages(plan: Plan, exercise: Exercise) -> Iterator[tuple[Sequence[ModeledLab], Sequence[Probe]]]:
    """The lab as it is while some of the probes are sent, as `apply` makes it: several for what is sent while it is
    changed, since headends notice a change later."""
    applied: tuple[Action, ...] = exercise.apply
    unchanged = _elected(plan)
    elected = _elected(plan, applied, unchanged)
    before = ModeledLab(plan, applied, elected)
    if exercise.probes:
        yield [before], exercise.probes
    for step in exercise.steps:
        actions = (*applied, *step.apply)
        after = ModeledLab(plan, actions, _elected(plan, actions, unchanged))
        if step.across:
            yield [before, ModeledLab(plan, actions, elected), after], [step.across]
        yield [after], step.probes


def _elected(
    plan: Plan, actions: Sequence[Action] = (), before: dict[str, Elected] | None = None
) -> dict[str, Elected]:
    """What headends elect, which most labs have none of."""
    if not any(node.headend for node in plan.nodes):
        return {}
    from srv6lab.predict.policies import elect

    return elect(plan, actions, before)


def _all(labs: Sequence[ModeledLab], probe: Probe, quirks: frozenset[str]) -> Iterator[Trace]:
    """A probe's walks in one lab, or those in any of several, each once."""
    if len(labs) == 1:
        yield from traces(labs[0], probe, quirks)
        return
    seen: set[object] = set()
    for lab in labs:
        for one in traces(lab, probe, quirks):
            if (what := (one.leg, one.hops, one.end)) not in seen:
                seen.add(what)
                yield replace(one, share=one.share / len(labs))


def traces(lab: ModeledLab, probe: Probe, quirks: frozenset[str]) -> Iterator[Trace]:
    """A probe's walks there and, of what was delivered, back."""
    there = list(walks(lab, sent(lab, probe), Place(probe.source), quirks))
    yield from (_trace(probe, Leg.THERE, one) for one in there)
    yield from (_trace(probe, Leg.BACK, one) for one in _answers(lab, there, quirks))


def _answers(lab: ModeledLab, there: Iterable[Ended], quirks: frozenset[str]) -> Iterator[Ended]:
    answered: set[tuple[object, Place]] = set()
    for one in there:
        reply = answer(one.walk.packet) if one.end.delivered else None
        if reply is None or (reply, one.end.place) in answered:
            continue
        answered.add((reply, one.end.place))
        yield from walks(lab, reply, one.end.place, quirks, vrf_of(lab, one))


def _told(lab: ModeledLab, probe: Probe) -> Iterator[Trace]:
    """The errors of which its sender may be told, and whoever answers it."""
    there = list(walks(lab, sent(lab, probe), Place(probe.source), LINUX))
    back = list(_answers(lab, there, LINUX))
    seen: set[object] = set()
    for leg, ended in ((Leg.BACK, there), (Leg.THERE, back)):
        for one in ended:
            for error in told(lab, one, LINUX):
                if (error.walk.hops, error.end) not in seen:
                    seen.add((error.walk.hops, error.end))
                    yield _trace(probe, leg, error)


def _largest(lab: ModeledLab, probe: Probe) -> Iterator[Trace]:
    return (_trace(probe, Leg.THERE, one) for one in largest(lab, probe, LINUX))


def _trace(probe: Probe, leg: Leg, one: Ended) -> Trace:
    walk = one.walk
    return Trace(probe.id, leg, walk.hops, one.end, walk.share, walk.counted, walk.choices)
