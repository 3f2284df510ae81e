"""Whether an answer is right, by what the lab itself says: its plan, or a run's packets.

Nothing is asked of a lab that runs, so a run that was handed in is judged just the same. Of a wrong answer it is said
what kind of thing is asked for, and never the right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from srv6lab.evidence.observations import read_observations
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found
from srv6lab.judge.seen import seen
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.teach import seals, spelling
from srv6lab.teach.kinds import Kind
from srv6lab.teach.truths import Truth, Unseen, truth
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.questions import Question


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of an answer: whether it is `right`, and a sentence. One that isn't `counted` is no try: it couldn't be
    read as what is asked for, or the run has nothing by which it could be judged."""

    right: bool
    note: str
    counted: bool = True


def judge_answer(plan: Plan, exercise: str, question: Question, text: str, folder: Path) -> Judged:
    """By the folder of a run of that exercise, or of the one that it is like. UsageError where it holds another run."""
    _, task = plan.exercise(exercise)
    if not question.answer.from_captures:
        return judge_seen(plan, task, question, text, {}, {})
    ran = run_of(task, folder)
    found = seen(plan, {ran: folder})[ran].found
    return judge_seen(plan, task, question, text, found, {one.probe: one for one in predict(plan, ran)})


def run_of(task: Exercise, folder: Path) -> str:
    """Of which exercise the run in a folder is taken: the one that the task is like, where that says so itself."""
    observed, _ = read_observations(folder)
    like = "" if task.changes_the_lab else task.like
    return observed.exercise if like and observed.exercise == like else task.name


def judge_seen(
    plan: Plan,
    task: Exercise,
    question: Question,
    text: str,
    found: Mapping[str, Found],
    predicted: Mapping[str, Prediction],
) -> Judged:
    """By each probe's packets, as they were found, and its prediction."""
    if len(text) > spelling.LONGEST:
        return Judged(False, f"an answer has {spelling.LONGEST} characters at most", counted=False)
    said = spelling.cleaned(text)
    if not said:
        return Judged(False, "that is no answer", counted=False)
    if (sealed := question.answer.sealed) is not None:
        right = seals.opens(sealed, said)
        return Judged(right, "right" if right else "not that; the answer is a word, or a few")
    try:
        return _compared(truth(plan, task, question.answer, found, predicted), said)
    except Unseen as error:
        return Judged(False, str(error), counted=False)


def _compared(right: Truth, said: str) -> Judged:
    kind = right.kind
    value = kind.read(said)
    if value is None:
        if not right.may_lack or not spelling.nothing(said):
            return Judged(False, f"the answer is {kind.words}; this can't be read as one", counted=False)
        return Judged(True, "right") if None in right.values else _wrong(kind)
    if value in right.values:
        return Judged(True, "right")
    near = next((words for one in right.values if one is not None and (words := kind.near(value, one))), "")
    return replace(_wrong(kind), note=near) if near else _wrong(kind)


def _wrong(kind: Kind) -> Judged:
    return Judged(False, f"the answer is {kind.words}, and not that one")
