"""How what was handed in fits together: what can't have come of a run of this learner's lab is forged, and what a trainer
may want to look at is odd.

A learner who works for days on it can make a hand-in that fits in everything, since it is made on his own machine. What is
found here is what people do: another's packets, edited ones, runs that never were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from srv6lab.classroom.handin import MANIFEST, HandIn
from srv6lab.evidence import tokens
from srv6lab.evidence.observations import Observations
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.probes import Found, Sent
from srv6lab.judge.grade import Graded
from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import Exercise, Probe

FORGED, ODD = "forged", "odd"
NO_TOKEN = "f" * 32  # that of a probe of which a run says nothing: no packet has it


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A sentence with its evidence, and how `sure` it is: FORGED, so that what depends on it has no points, or ODD, which
    a person may look at. Without an `exercise` it is of the whole hand-in."""

    sure: str
    what: str
    exercise: str = ""


def of_files(found: HandIn) -> Iterator[Suspicion]:
    """What isn't as the manifest says that it was written."""
    told = found.manifest.files
    for name, data in found.files.items():
        if name == MANIFEST:
            continue
        exercise = name.split("/")[1] if name.startswith("runs/") else ""
        if name not in told:
            yield Suspicion(
                FORGED, f"{name} was put into it afterwards: {MANIFEST} doesn't name it", exercise
            )
        elif told[name] != (digest := sha256(data).hexdigest()):
            what = f"{name} was changed afterwards: its SHA-256 is {digest[:12]}…, and {MANIFEST} says {told[name][:12]!a}…"
            yield Suspicion(FORGED, what, exercise)
    if gone := sorted(told.keys() - found.files.keys()):
        more = f", and {len(gone) - 1} more" if len(gone) > 1 else ""
        yield Suspicion(ODD, f"{gone[0]!a}{more} was taken out of it: {MANIFEST} names it")


def of_tokens(
    exercise: Exercise, observed: Observations, key: str, keys: Mapping[str, str]
) -> Iterator[Suspicion]:
    """Probes that weren't this learner's own; `keys` are those of the class, by learner. Without a key nothing is known."""
    sent = {one.probe: one for one in observed.probes}
    for probe in exercise.every_probe() if key else ():
        one = sent.get(probe.id)
        if one is None or one.token == NO_TOKEN or tokens.is_of(key, probe.id, one.token):
            continue
        whose = next((name for name, other in keys.items() if tokens.is_of(other, probe.id, one.token)), None)
        of = f"it was made with {whose}'s" if whose else "no learner of this class has one that fits"
        what = f"probe {probe.id} of {exercise.name} carries token {one.token or 'none'}, which the key of this learner never made: {of}"
        yield Suspicion(FORGED, what, exercise.name)


def with_every_probe(exercise: Exercise, observed: Observations) -> Observations:
    """With a word for each probe that the run says nothing of: else its packets would be looked for without a token."""
    known = {one.probe for one in observed.probes if one.token}
    lacking = [one.id for one in exercise.every_probe() if one.id not in known]
    unsaid = tuple(Sent(name, 0, 0, NO_TOKEN, "the run says nothing of it") for name in lacking)
    kept = tuple(one for one in observed.probes if one.token)
    return replace(observed, probes=(*kept, *unsaid))


def of_probes(exercise: Exercise, observed: Observations) -> Iterator[Suspicion]:
    """Probes that no run of the exercise has: none at all where it came to its end, or more packets than it sends."""
    sent = {one.probe: one for one in observed.probes}
    for probe in exercise.every_probe():
        one = sent[probe.id]
        if one.token == NO_TOKEN and not observed.failure:
            what = f"observations.json of {exercise.name} says nothing of probe {probe.id}, as every run does that came to its end"
            yield Suspicion(FORGED, what, exercise.name)
        elif not 0 <= one.sent <= probe.sends or one.received < 0:
            what = f"observations.json of {exercise.name} says that probe {probe.id} sent {one.sent} and got {one.received}: it sends {probe.sends}"
            yield Suspicion(FORGED, what, exercise.name)
    if strange := sorted({*sent} - {one.id for one in exercise.every_probe()}):
        yield Suspicion(
            FORGED,
            f"{exercise.name} has no probe {strange[0]!a}, which its run says it sent",
            exercise.name,
        )


def of_counts(plan: Plan, exercise: Exercise, graded: Graded) -> Iterator[Suspicion]:
    """What the run says that it saw, held against the packets that it kept."""
    name = exercise.name
    for one in graded.observed.tracers:
        capture = graded.captures.get(one.point)
        if capture and one.sound and not capture.note and capture.records != one.captured:
            what = f"{_file(plan, one.point)} of {name} holds {capture.records} packets, and its tracer wrote {one.captured}"
            yield Suspicion(FORGED, what, name)
    for probe in exercise.every_probe():
        yield from _answers(plan, exercise, probe, graded)
    yield from _alerts(plan, exercise, graded)


def _answers(plan: Plan, exercise: Exercise, probe: Probe, graded: Graded) -> Iterator[Suspicion]:
    """Echo requests and answers at the node that sent them, where all of its NICs were traced soundly."""
    found = graded.found.get(probe.id)
    if found is None or probe.kind.key != "icmp" or probe.source == plan.receiver(probe):
        return
    own = [nic.point for nic in plan.node(probe.source).nics]
    if not all(point in graded.tracers and graded.tracers[point].sound for point in own):
        return
    here = f"at {', '.join(_file(plan, point) for point in own)}"
    answers = _sequences(found, own, Direction.IN)
    if found.sent.received > len(answers):
        what = f"probe {probe.id} of {exercise.name} got {found.sent.received} answers as it says, and {here} came {len(answers)}"
        yield Suspicion(FORGED, what, exercise.name)
    requests = _sequences(found, own, Direction.OUT)
    if len(requests) > found.sent.sent:
        what = f"probe {probe.id} of {exercise.name} sent {found.sent.sent} as it says, and {here} left {len(requests)}"
        yield Suspicion(FORGED, what, exercise.name)


def _sequences(found: Found, points: Sequence[Point], direction: Direction) -> set[int | None]:
    return {
        hop.packet.icmp.sequence
        for hop in found.hops
        if hop.point in points and hop.direction is direction and hop.packet.icmp
    }


def _alerts(plan: Plan, exercise: Exercise, graded: Graded) -> Iterator[Suspicion]:
    """Alerts about packets that never came to the service."""
    for one in dict.fromkeys(graded.observed.alerts):
        node, service = plan.service(one.service)
        point = Point(node.name, service.listen, service.netns)
        capture, tracer = graded.captures.get(point), graded.tracers.get(point)
        if capture is None or tracer is None or not tracer.sound:
            continue
        pairs = {
            (str(header.source), str(header.destination))
            for view in capture.packets
            for header in view.headers
        }
        if (one.source, one.destination) not in pairs:
            what = f"an alert of {one.service} in {exercise.name} is about {one.source!a} → {one.destination!a}, and {_file(plan, point)} has no such packet"
            yield Suspicion(FORGED, what, exercise.name)


def _file(plan: Plan, point: Point) -> str:
    return next((f"{nic.trace}.pcap" for nic in plan.traced() if nic.point == point), str(point))
