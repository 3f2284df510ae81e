"""Grade a folder of captures by one exercise.

It reads such a folder and nothing else, so a run is graded the same on any machine, and so are pcaps that somebody
hands in.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from srv6lab.capture.ahead import Waiting
from srv6lab.capture.assign import told, without_others
from srv6lab.capture.probes import find_all, heard
from srv6lab.capture.reading import Capture
from srv6lab.errors import UsageError
from srv6lab.evidence.observations import Observations, Tracer
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import (
    ChangeFailed,
    DiffersFromDay0,
    Item,
    NotHandedIn,
    PoliciesDiffer,
    RouterFinding,
    RoutingLacks,
    Settled,
    SidsUnknown,
    Status,
    Unreviewed,
    Verdict,
)
from srv6lab.host.progress import Progress
from srv6lab.judge.captures import Captures, read_captures
from srv6lab.judge.compare import (
    compare,
    judge_alerts,
    judge_answered,
    judge_counts,
    judge_messages,
    predicted_counts,
)
from srv6lab.judge.compare.hops import expected_hops, judge_hops
from srv6lab.judge.diagnose import diagnose
from srv6lab.judge.expectations import (
    expectations,
    expected_alerts,
    expected_answers,
    expected_counts,
    expected_messages,
)
from srv6lab.judge.observed import observed_run
from srv6lab.judge.shares import judge_routes
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.topology.exercises import Exercise


@dataclass(frozen=True, slots=True)
class Graded:
    """A verdict with what it was made of, for whoever shows it packet by packet: what the run observed, the captures and
    the file of each, each probe's packets in them, and each probe's predictions. Of a run that its machine couldn't do
    there is nothing else."""

    verdict: Verdict
    observed: Observations
    captures: Mapping[Point, Capture] = field(default_factory=dict)
    found: Mapping[str, Found] = field(default_factory=dict)
    predicted: Mapping[str, Prediction] = field(default_factory=dict)
    tracers: Mapping[Point, Tracer] = field(default_factory=dict)
    files: Mapping[Point, Path] = field(default_factory=dict)


def grade(
    plan: Plan,
    name: str,
    folder: Path,
    progress: Progress,
    *,
    mapped: Sequence[str] = (),
    strict: bool = False,
) -> Verdict:
    """Judge a folder of pcaps by the expectations of one exercise; `mapped` says FILE=NODE:NIC of some. Of pcaps that
    came without a run's observations only what was handed in is judged, but if `strict`."""
    return graded(plan, {name: folder}, progress, mapped=mapped, strict=strict)[name].verdict


def graded(
    plan: Plan,
    folders: Mapping[str, Path],
    progress: Progress,
    *,
    mapped: Sequence[str] = (),
    strict: bool = False,
    only_found: Collection[str] = (),
    ahead: Waiting | None = None,
) -> dict[str, Graded]:
    """`grade` of several exercises, each with its own folder, and all that the verdicts were made of: their captures are
    read together, by a tshark that waits for them if there is one `ahead`. Those that are `only_found` get no verdict, which takes its time."""
    for folder in folders.values():
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", "--captures takes a folder with pcaps in it")
    observed = {name: observed_run(plan, name, folder) for name, folder in folders.items()}
    read = read_captures(plan, folders, progress, said=told(plan, mapped), ahead=ahead)
    found = {}
    for name, captures in read.items():
        _refuse_none(plan, name, folders[name], captures, progress)
        make = _only_found if name in only_found else partial(_judged, strict=strict)
        found[name] = replace(make(plan, name, observed[name], captures.read), files=captures.files)
    return found


def _refuse_none(plan: Plan, name: str, folder: Path, captures: Captures, progress: Progress) -> None:
    """Tell which files are left out; UsageError where there is no other."""
    for file, why in captures.left.items():
        progress(f"{name}: {file} is left out: {why}")
    if not captures.files:
        wanted = ", ".join(f"{nic.trace}.pcap" for nic in plan.traced())
        why = "".join(f"; {file}: {reason}" for file, reason in captures.left.items())
        raise UsageError(
            f"{folder} holds no capture of this lab{why}",
            f"their names are {wanted}; of a file with another name say --map FILE=NODE:NIC",
        )


def as_read(
    plan: Plan, name: str, observed: Observations, captures: Captures, *, strict: bool = False
) -> Graded:
    """`graded` of an exercise whose captures were read already."""
    return replace(_judged(plan, name, observed, captures.read, strict=strict), files=captures.files)


def judge_run(
    plan: Plan,
    name: str,
    observed: Observations,
    captures: Mapping[Point, Capture],
    *,
    strict: bool = False,
) -> Verdict:
    """The three witnesses of one exercise, and what likely caused it if it isn't a pass."""
    return _judged(plan, name, observed, captures, strict=strict).verdict


def _only_found(plan: Plan, name: str, observed: Observations, captures: Mapping[Point, Capture]) -> Graded:
    captures = without_others(plan, captures)
    sent = {one.probe: one for one in observed.probes}
    found = find_all(plan, plan.exercise(name)[1].every_probe(), captures, sent)
    predicted = {one.probe: one for one in predict(plan, name)}
    return Graded(Verdict(name, ()), observed, captures, found, predicted, _tracers(plan, captures, observed))


def _judged(
    plan: Plan, name: str, observed: Observations, captures: Mapping[Point, Capture], *, strict: bool
) -> Graded:
    _, exercise = plan.exercise(name)
    if observed.unable:
        note = f"this machine can't: {observed.failure}"
        return Graded(Verdict(name, (ChangeFailed(status=Status.INCONCLUSIVE, note=note),)), observed)
    captures = without_others(plan, captures)
    tracers = _tracers(plan, captures, observed)
    part = not (observed.lab or strict)
    judged = {point: one for point, one in tracers.items() if not part or one.state != "missing"}
    sent = {one.probe: one for one in observed.probes}
    found = find_all(plan, exercise.every_probe(), captures, sent)
    predicted = {one.probe: one for one in predict(plan, name)}
    wanted = [one for one in expectations(plan, name) if one.point in judged or not part]
    verdict = compare(name, wanted, found, judged, elsewhere_absent=exercise.closed, predicted=predicted)
    sensors = {one.service: one for one in observed.sensors}
    beside = [*_of_the_run(observed), *_unreviewed(exercise)]
    if part:
        beside += _of_a_part(plan, name, found, captures, judged)
    else:
        beside[:0] = [
            *judge_alerts(expected_alerts(plan, name), observed.alerts, sensors),
            *judge_counts(expected_counts(plan, name), observed.counters, _counts(predicted, found)),
            *judge_answered(expected_answers(plan, name), found, tracers, predicted),
            *judge_hops(plan, expected_hops(plan, name), found, predicted, tracers),
            *judge_routes(plan, predicted, observed.differences),
            *judge_messages(expected_messages(plan, name), heard(plan, captures), tracers, observed.sids),
        ]
    verdict = replace(verdict, items=(*verdict.items, *beside))
    differences = observed.differences if observed.compared else None
    suspects = (
        () if observed.blind else diagnose(plan, verdict, predicted, found, tracers, sensors, differences)
    )
    return Graded(replace(verdict, suspects=suspects), observed, captures, found, predicted, tracers)


def _counts(
    predicted: Mapping[str, Prediction], found: Mapping[str, Found]
) -> dict[str, tuple[int, int]] | None:
    """What counters may have counted by the model; None where it doesn't know all of the packets' ways."""
    return None if any(one.open for one in predicted.values()) else predicted_counts(predicted, found)


def _of_a_part(
    plan: Plan,
    name: str,
    found: Mapping[str, Found],
    captures: Mapping[Point, Capture],
    judged: Mapping[Point, Tracer],
) -> Iterator[Item]:
    """What some captures show beside packets, and what wasn't handed in: it is neither right nor wrong."""
    points = [nic.point for nic in plan.traced()]
    missing = [point for point in points if point not in judged]
    unseen = {point.node for point in missing}
    answered = [one for one in expected_answers(plan, name) if one.node not in unseen]
    yield from judge_answered(answered, found, judged)
    messages = [one for one in expected_messages(plan, name) if one.point in judged]
    said = judge_messages(messages, heard(plan, captures), judged, {})
    yield from (item for item in said if not isinstance(item, SidsUnknown))
    lacking = [*map(str, missing)]
    lacking += ["alerts"] if expected_alerts(plan, name) else []
    lacking += ["counters"] if expected_counts(plan, name) else []
    if lacking:
        note = f"{len(judged)} of {len(points)} points judged; not handed in: {', '.join(lacking)}"
        yield NotHandedIn(status=Status.PASS, note=note)


def _of_the_run(observed: Observations) -> Iterator[Item]:
    """What the run itself told beside its packets."""
    yield from _findings(RoutingLacks, observed.routing)
    yield from _findings(PoliciesDiffer, observed.policies)
    yield from (Settled(status=Status.PASS, captured=one) for one in observed.settled)
    yield from (DiffersFromDay0.of(one) for one in observed.differences)
    if observed.failure:
        note = f"the exercise couldn't go on: {observed.failure}"
        yield ChangeFailed(status=Status.FAIL, note=note, node=observed.failed_on)


def _unreviewed(exercise: Exercise) -> Iterator[Item]:
    for probe, walk in exercise.expect.walk.items():
        if walk.unreviewed:
            note = f"{exercise.name}: the walk of {probe} is unreviewed, so expectation and model are one witness"
            yield Unreviewed(status=Status.PASS, note=note, probe=probe)


def _findings(kind: type[RouterFinding], found: Sequence[tuple[str, str]]) -> Iterator[Item]:
    return (kind(status=Status.FAIL, field=node, note=line) for node, line in found)


def _tracers(plan: Plan, captures: Mapping[Point, Capture], observed: Observations) -> dict[Point, Tracer]:
    """What is known of the tracer at every point: what the run observed, less what the files show."""
    told = {one.point: one for one in observed.tracers}
    tracers = {}
    for nic in plan.traced():
        point, capture = nic.point, captures.get(nic.point)
        known = told.get(point)
        if capture is None:
            missing = Tracer(point, "missing", note=f"no {nic.trace}.pcap among the captures")
            tracers[point] = known if known and not known.sound else missing
        elif capture.note:
            tracers[point] = Tracer(point, "cut", capture.records, note=f"{nic.trace}.pcap: {capture.note}")
        elif known and known.sound and known.captured != capture.records:
            note = f"{nic.trace}.pcap holds {capture.records} packets of {known.captured}"
            tracers[point] = Tracer(point, "cut", capture.records, note=note)
        else:
            tracers[point] = known or Tracer(point, "live", capture.records)
    return tracers
