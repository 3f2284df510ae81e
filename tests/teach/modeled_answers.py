"""Questions as they would be answered after a check that went as the model says: no lab, no file, no root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from srv6lab.evidence.prediction import Hop, Leg, Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.teach.answers import Judged, judge_seen
from srv6lab.teach.truths import Truth, truth
from srv6lab.topology.exercises import Exercise, Probe
from srv6lab.topology.questions import Question

Seen = tuple[Mapping[str, Found], Mapping[str, Prediction]]


_KNOWN: dict[tuple[int, str], tuple[Plan, Seen]] = {}


def as_modeled(plan: Plan, name: str) -> Seen:
    """Every probe's packets just as the model has them: each walk once, that of pings as often as they are sent. Each
    is made once; a plan can't be hashed."""
    key = id(plan), name
    if key not in _KNOWN:
        _KNOWN[key] = plan, _modeled(plan, name)
    return _KNOWN[key][1]


def _modeled(plan: Plan, name: str) -> Seen:
    predicted = {one.probe: one for one in predict(plan, name)}
    probes = {one.id: one for one in plan.exercise(name)[1].every_probe()}
    return {name: _found(probes[name], one) for name, one in predicted.items()}, predicted


def _found(probe: Probe, prediction: Prediction) -> Found:
    sends = probe.sends if probe.kind.key == "icmp" else 1
    hops = [
        hop
        for sequence in range(1, sends + 1)
        for number, trace in enumerate(prediction.linux)
        for hop in (_numbered(hop, trace.leg, probe, trace.number or sequence, number) for hop in trace.hops)
    ]
    return Found(Sent(probe.id, sends, sends, "ab" * 16), tuple(hops), counted=probe.kind.counted)


def _numbered(hop: Hop, leg: Leg, probe: Probe, sequence: int, walk: int) -> Hop:
    """A packet told from the others of its probe, as on the wire."""
    packet = hop.packet
    if packet.icmp:
        packet = replace(packet, icmp=replace(packet.icmp, sequence=sequence))
    elif packet.udp:
        packet = replace(packet, udp=replace(packet.udp, source_port=2000 + 100 * sequence + walk))
    return replace(hop, packet=replace(packet, number=sequence))


def asked(plan: Plan) -> Iterator[tuple[Exercise, Question]]:
    for task in plan.exercises:
        for question in task.questions:
            yield task, question


def right(plan: Plan, task: Exercise, question: Question) -> Truth:
    return truth(plan, task, question.answer, *as_modeled(plan, task.name))


def answered(plan: Plan, task: Exercise, question: Question, text: str) -> Judged:
    return judge_seen(plan, task, question, text, *as_modeled(plan, task.name))


def written(value: Any, kind: str) -> str:
    """A right value as a learner would write it."""
    if value is None:
        return "none"
    if kind == "behavior":
        return " ".join((value[0], *value[1]))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
