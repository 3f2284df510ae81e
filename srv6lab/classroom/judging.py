"""Hand-ins → their marks: judged again from its packets by the trainer's own topology, and looked at for what can't be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from srv6lab.capture import pcap
from srv6lab.classroom import clocks, copies, forged, wire
from srv6lab.classroom.apart import own_folder
from srv6lab.classroom.copies import Made, Traits
from srv6lab.classroom.forged import FORGED, ODD, Suspicion
from srv6lab.classroom.handin import HandIn, read_hand_in
from srv6lab.classroom.marks import DAMAGED, FOREIGN, GRADED, Marks
from srv6lab.classroom.trainer import Trainer
from srv6lab.errors import LabError, UsageError
from srv6lab.evidence.observations import OBSERVATIONS, Observations, read_observations
from srv6lab.evidence.runs import Run, read_run
from srv6lab.evidence.score import Part, Score, lost_by_help
from srv6lab.judge.captures import Captures, read_several
from srv6lab.judge.grade import Graded, as_read
from srv6lab.judge.observed import refuse_others
from srv6lab.judge.score import marked, parts, question_part, unjudged
from srv6lab.plan.nodes import Plan
from srv6lab.teach.answers import judge_seen
from srv6lab.teach.learned import Entry
from srv6lab.topology.exercises import Exercise

_MAGICS = (
    b"\xd4\xc3\xb2\xa1",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_NOBODYS = "it is of no class: neither whose packets nor whose lab these are was looked at"


def marks_of(
    trainer: Trainer, files: Sequence[tuple[Path, str]], since: datetime | None, now: datetime
) -> list[Marks]:
    """Those of some files, each with the name it is told by, whatever is in them. Their captures are read together, so
    a MachineError may be about any."""
    opened = [_opened(trainer, path, name, since, now, number) for number, (path, name) in enumerate(files)]
    readable = [one for one in opened if isinstance(one, _HandedIn)]
    read = read_several([(one.plan, one.folders()) for one in readable], lambda _: None)
    captures = dict(zip(map(id, readable), read, strict=True))
    return [one.marks(captures[id(one)]) if isinstance(one, _HandedIn) else one for one in opened]


def _opened(
    trainer: Trainer, path: Path, name: str, since: datetime | None, now: datetime, number: int
) -> _HandedIn | Marks:
    try:
        found = read_hand_in(path)
    except LabError as error:
        return Marks(name, DAMAGED, why=error.what)
    told = found.manifest
    mine = Marks(name, GRADED, told.learner, told.lab, written=told.written)
    try:
        if told.learner and told.group != trainer.name:
            raise UsageError(f"it is of class {told.group!a}, not of {trainer.name}")
        plan = trainer.plan(told.learner, told.lab)
    except LabError as error:
        return replace(mine, status=FOREIGN, learner="", lab="", why=error.what)
    return _HandedIn(trainer, plan, found, mine, own_folder() / str(number), since, now)


class _HandedIn:
    """One hand-in under way: what was found out about it so far."""

    def __init__(
        self,
        trainer: Trainer,
        plan: Plan,
        found: HandIn,
        mine: Marks,
        place: Path,
        since: datetime | None,
        now: datetime,
    ) -> None:
        self.trainer, self.plan, self.found, self.mine, self.place = trainer, plan, found, mine, place
        self.since, self.now = since, now
        self.key = trainer.learners.get(found.manifest.learner, "")
        self.suspicions: list[Suspicion] = [*forged.of_files(found)]
        self.unjudged: dict[str, str] = {}  # exercises, and why nothing of them is judged
        self.runs: dict[str, Run | None] = {}
        self.observed: dict[str, Observations] = {}
        self.made: list[Made] = []
        self.notes: list[str] = [] if self.key else [_NOBODYS]

    def folders(self) -> dict[str, Path]:
        """Where the captures of each run lie that can be judged."""
        names = [exercise.name for exercise in self.plan.exercises if exercise.name in self.found.exercises]
        folders = {name: self.place / name for name in names}
        return {name: folder for name, folder in folders.items() if self._written(name, folder)}

    def marks(self, captures: Mapping[str, Captures]) -> Marks:
        judged = {name: one for name in captures if (one := self._judged(name, captures[name]))}
        self.suspicions += clocks.of_log(self.found, [run for run in self.runs.values() if run], self.now)
        traits = self._traits()
        self.suspicions += copies.twice_in_one(traits)
        by = {exercise.name: self._run_of(exercise, judged) for exercise in marked(self.plan)}
        scores = tuple(self._score(one, judged.get(by[one.name])) for one in marked(self.plan))
        if self.found.left:
            names = ", ".join(map(ascii, self.found.left[:3]))
            self.notes.append(f"left out, since no hand-in has it: {names}")
        found = replace(self.mine, scores=scores, by=by, notes=tuple(self.notes), traits=traits)
        return found.suspected(self.suspicions)

    # --- its runs

    def _judged(self, name: str, captures: Captures) -> Graded | None:
        """What the judge says of a run, and what can't be of it."""
        self.notes += [f"{file} of {name} is left out: {why}" for file, why in captures.left.items()]
        if not captures.files:
            self.unjudged[name] = "no capture of a NIC of this lab was handed in"
            return None
        one = as_read(self.plan, name, self.observed[name], captures, strict=True)
        self.suspicions += forged.of_counts(self.plan, self.plan.exercise(name)[1], one)
        self.suspicions += wire.of_packets(self.plan, name, one)
        self.suspicions += clocks.of_walks(self.plan, name, one)
        self.suspicions += clocks.of_run(name, one, self.runs[name], self.now, self.since)
        return one

    def _written(self, name: str, folder: Path) -> bool:
        """Write a run's files to where they are judged, if there is anything to judge; what it says that it saw is typed
        first."""
        if not self._captures_written(name, folder):
            self.unjudged[name] = "no capture of it was handed in"
            return False
        self.runs[name] = run = read_run(folder)
        if run and run.topology != self.plan.digest:
            what = f"{name} was run with another file of the lab than the one that was handed out"
            self.suspicions.append(Suspicion(ODD, what, name))
        try:
            observed, path = read_observations(folder)
        except UsageError as error:
            self.unjudged[name] = error.what.replace(str(folder), f"runs/{name}")
            return False
        _, exercise = self.plan.exercise(name)
        self.made += [Made(name, one.probe, one.token) for one in observed.probes if one.token]
        self.suspicions += forged.of_tokens(exercise, observed, self.key, self.trainer.learners)
        try:
            if not path:
                raise UsageError(f"{name} has no {OBSERVATIONS}, as every run has")
            refuse_others(self.plan, name, observed, f"runs/{name}", f"runs/{name}/{OBSERVATIONS}")
        except UsageError as error:
            self.suspicions.append(Suspicion(FORGED, error.what, name))
            return False
        observed = forged.with_every_probe(exercise, observed)
        self.suspicions += forged.of_probes(exercise, observed)
        # no cause is looked for: that takes its time, and marks don't depend on it
        self.observed[name] = replace(observed, blind=True)
        return True

    def _captures_written(self, exercise: str, folder: Path) -> bool:
        """Whether there is any; what is none is left out."""
        (folder / "captures").mkdir(parents=True)
        found = False
        for name, data in self.found.run(exercise).items():
            capture = name.startswith("captures/")
            if capture and len(data) >= 4 and data[:4] not in _MAGICS:
                self.notes.append(f"runs/{exercise}/{name} is no capture: it begins with {data[:4]!r}")
                continue
            (folder / name).write_bytes(data)
            found |= capture
        return found

    # --- what it is worth

    def _run_of(self, exercise: Exercise, judged: Mapping[str, Graded]) -> str:
        """The run by which it is judged: its own, or that of the one that it is like where it is only to be looked at."""
        like = "" if exercise.changes_the_lab else exercise.like
        return like if like and exercise.name not in judged and like in judged else exercise.name

    def _score(self, exercise: Exercise, judged: Graded | None) -> Score:
        entry = self.found.entries.get(exercise.name) or Entry("")
        lost, reasons = lost_by_help(entry.hints, entry.causes, entry.solved)
        answers = tuple(self._answers(exercise, entry, judged))
        if judged is None:
            why = self.unjudged.get(exercise.name, "nothing of it was handed in")
            none = tuple(replace(part, reason=why) for part in unjudged(exercise))
            return Score(exercise.name, (*none, *answers), lost, reasons)
        return Score(exercise.name, (*parts(exercise, judged.verdict), *answers), lost, reasons)

    def _answers(self, exercise: Exercise, entry: Entry, judged: Graded | None) -> Iterator[Part]:
        """Its questions: each answer that was right on the learner's machine, judged again by the packets."""
        found, predicted = (judged.found, judged.predicted) if judged else ({}, {})
        for one in exercise.questions:
            wrong, hints = entry.wrong.get(one.id, 0), entry.helped.get(one.id, 0)
            text = entry.right.get(one.id)
            said = judge_seen(self.plan, exercise, one, text, found, predicted) if text is not None else None
            part = question_part(one, right=bool(said and said.right), wrong=wrong, hints=hints)
            yield (
                replace(part, reason=f"the answer {text!a}: {said.note}") if said and not said.right else part
            )

    def _traits(self) -> Traits:
        captures = {
            (exercise, name): sha256(data).hexdigest()
            for exercise, name, data in self.found.captures()
            if len(data) > pcap.PCAP_HEADER
        }
        return Traits(
            self.mine.file, self.found.manifest.learner, self.found.digest, tuple(self.made), captures
        )
