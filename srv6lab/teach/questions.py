"""A lab's questions for a learner: answered by what was captured in his own lab, hinted at, and written down.

What was answered is kept with what was learned, whether a task is begun or not: a question may be about an exercise that
is no more than checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from srv6lab.called import CALLED
from srv6lab.errors import UsageError
from srv6lab.evidence.observations import OBSERVATIONS
from srv6lab.evidence.score import Part
from srv6lab.judge.score import question_part
from srv6lab.live.begun import now
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.suggest import or_all
from srv6lab.teach.answers import Judged, judge_answer
from srv6lab.teach.learned import Entry, best, read_learned, write_entry
from srv6lab.teach.spelling import cleaned
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.questions import Question

_KEPT = 200  # characters of a right answer


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a lab and how a learner stands with it: his `right` answer ("" without one), how many were wrong, how
    many hints he had."""

    exercise: str
    question: Question
    right: str = ""
    wrong: int = 0
    hints: int = 0

    @property
    def part(self) -> Part:
        """What it came to, or, as long as it is open, what it is still worth."""
        return question_part(self.question, right=True, wrong=self.wrong, hints=self.hints)

    @property
    def state(self) -> str:
        """`right`, `wrong`, or `open`."""
        return "right" if self.right else "wrong" if self.wrong else "open"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer, and how the learner stands with the question now; `before` says that it was right already."""

    judged: Judged
    asked: Asked
    before: bool = False


def asked(home: Home, plan: Plan, only: str = "") -> list[Asked]:
    """Every question of the lab, or one; UsageError where there is none."""
    every = [(task, question) for task in plan.exercises for question in task.questions]
    ids = [question.id for _, question in every]
    if not every:
        raise UsageError(f"{plan.name} asks nothing", f"{CALLED} course shows what labs have to be done")
    if only and only not in ids:
        raise UsageError(f"{plan.name} has no question {only!r}", or_all(only, ids))
    entries = read_learned(home).labs.get(plan.name, {})
    return [
        _asked(task, question, entries.get(task.name))
        for task, question in every
        if only in ("", question.id)
    ]


def _asked(task: Exercise, question: Question, entry: Entry | None) -> Asked:
    if entry is None:
        return Asked(task.name, question)
    known = (
        entry.right.get(question.id, ""),
        entry.wrong.get(question.id, 0),
        entry.helped.get(question.id, 0),
    )
    return Asked(task.name, question, *known)


def answer(home: Home, plan: Plan, name: str, text: str) -> Answered:
    """Judge an answer, count it, and write it down; one that was right stays so. UsageError where there is no such
    question, or no run to judge it by."""
    (before,) = asked(home, plan, name)
    if before.right:
        return Answered(Judged(True, f"that was answered already: {before.right}", False), before, True)
    judged = judge_answer(plan, before.exercise, before.question, text, _folder(home, plan, before))
    if not judged.counted:
        return Answered(judged, before)
    with home.locked(), _entry(home, plan, before.exercise) as put:
        entry = put.entry
        if judged.right:
            put.entry = replace(entry, right={**entry.right, name: cleaned(text)[:_KEPT]})
        else:
            put.entry = replace(entry, wrong={**entry.wrong, name: entry.wrong.get(name, 0) + 1})
    (after,) = asked(home, plan, name)
    return Answered(judged, after)


def hint(home: Home, plan: Plan, name: str) -> tuple[str, int, int]:
    """The question's next hint, its number and how many there are; it is counted. UsageError where none is left, or
    where it was answered already."""
    (one,) = asked(home, plan, name)
    hints = one.question.hints
    if one.right:
        raise UsageError(
            f"{name} is answered already: {one.right}", f"{CALLED} answer {plan.running} lists the others"
        )
    if one.hints >= len(hints):
        what = f"there is no other hint for {name}" if hints else f"{name} has no hints"
        raise UsageError(what, f"{CALLED} answer {plan.running} --question {name} --text ANSWER")
    with home.locked(), _entry(home, plan, one.exercise) as put:
        put.entry = replace(put.entry, helped={**put.entry.helped, name: one.hints + 1})
    return hints[one.hints], one.hints + 1, len(hints)


@dataclass(slots=True)
class _Put:
    entry: Entry


@contextmanager
def _entry(home: Home, plan: Plan, exercise: str) -> Iterator[_Put]:
    """What is known of an exercise, written down with what was made of it."""
    put = _Put(read_learned(home).entry(plan.name, exercise) or Entry(now()))
    yield put
    entry = put.entry
    write_entry(home, plan.name, exercise, replace(entry, best=best(plan.exercise(exercise)[1], entry)))


def _folder(home: Home, plan: Plan, one: Asked) -> Path:
    """The newest run that the question may be about; UsageError where there is none and it takes one."""
    _, task = plan.exercise(one.exercise)
    names = [task.name, *([task.like] if task.like and not task.changes_the_lab else [])]
    found = [(when, name) for name in names if (when := _written(home.run(name))) is not None]
    if found:
        return home.run(max(found)[1])
    if not one.question.answer.from_captures:
        return home.run(task.name)
    mend = f"{_first(plan, task)}{CALLED} check {plan.running} --exercise {names[-1]}, and then answer"
    raise UsageError(f"{one.exercise} wasn't run in this lab yet, so there is nothing to look at", mend)


def _first(plan: Plan, task: Exercise) -> str:
    return f"{CALLED} start {plan.running} --exercise {task.name}, then " if task.changes_the_lab else ""


def _written(folder: Path) -> float | None:
    """When the run in a folder was written, None where there is none."""
    try:
        return (folder / OBSERVATIONS).stat().st_mtime
    except OSError:
        return None
