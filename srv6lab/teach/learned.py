"""What a learner has reached, an entry an exercise: kept beside the instances, so that it outlasts `destroy`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from srv6lab.errors import LabError
from srv6lab.evidence.documents import from_json, read_json, to_json
from srv6lab.evidence.score import Part, Score, lost_by_help
from srv6lab.host.files import shown, write_whole
from srv6lab.judge.score import question_part, unjudged, worths
from srv6lab.live.begun import Begun, now
from srv6lab.plan.nodes import Plan
from srv6lab.providers.state import Home
from srv6lab.topology.exercises import Exercise

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """What was reached in one exercise of one lab. Times are ISO 8601 in UTC, "" for never. `parts` are those of the
    newest check: (name, points as a fraction, of, reason); `best` is the most that all came to. Of questions, by their ids:
    the answers that were `right`, how many were `wrong`, and with how many hints the learner was `helped`."""

    began: str
    passed: str = ""
    checks: int = 0
    hints: int = 0
    causes: int = 0
    solved: bool = False
    parts: tuple[tuple[str, str, int, str], ...] = ()
    best: str = "0"
    right: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, int] = field(default_factory=dict)
    helped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Learned:
    """All entries of an instance, by lab and exercise."""

    labs: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)

    def entry(self, lab: str, exercise: str) -> Entry | None:
        return self.labs.get(lab, {}).get(exercise)

    def put(self, lab: str, exercise: str, entry: Entry) -> Learned:
        return Learned({**self.labs, lab: {**self.labs.get(lab, {}), exercise: entry}})


def read_learned(home: Home) -> Learned:
    """Nothing where nothing was begun; LabError for a file that isn't as it was written."""
    try:
        document = read_json(home.progress)
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            raise ValueError("it is of another version of srv6lab")
        found: Learned = from_json(Learned, document, "")
    except FileNotFoundError:
        return Learned()
    except (OSError, ValueError) as error:
        mend = f"put it away: what was reached is then begun anew (mv {shown(home.progress)} /tmp)"
        raise LabError(f"{shown(home.progress)} isn't as it was written: {error}", mend) from None
    return found


def write_entry(home: Home, lab: str, exercise: str, entry: Entry) -> None:
    found = read_learned(home).put(lab, exercise, entry)
    home.progress.parent.mkdir(parents=True, exist_ok=True)
    write_whole(home.progress, json.dumps({"schema": SCHEMA, **to_json(found)}, indent=1) + "\n")


def told(
    home: Home, plan: Plan, begun: Begun, parts: tuple[Part, ...] | None = None, *, passed: bool = False
) -> Entry:
    """Write down what is known of a task now: with the `parts` of a check that has just been made, if one was."""
    before = read_learned(home).entry(plan.name, begun.exercise) or Entry(begun.when)
    entry = replace(
        before,
        began=begun.when,
        checks=begun.checks,
        hints=begun.hints,
        causes=begun.causes,
        solved=begun.solved,
    )
    if parts is not None:
        entry = replace(entry, parts=tuple((one.name, str(one.points), one.of, one.reason) for one in parts))
        if passed and not begun.solved:
            entry = replace(entry, passed=before.passed or now())
    entry = replace(entry, best=best(plan.exercise(begun.exercise)[1], entry))
    write_entry(home, plan.name, begun.exercise, entry)
    return entry


def best(task: Exercise, entry: Entry) -> str:
    """The most that was ever reached, now that there is this."""
    return str(max(Fraction(entry.best), score(task, entry).points))


def score(task: Exercise, entry: Entry) -> Score:
    """What an entry's newest check and its answers come to."""
    lost, reasons = lost_by_help(entry.hints, entry.causes, entry.solved)
    judged = tuple(Part(name, Fraction(points), of, reason) for name, points, of, reason in entry.parts)
    answered = (
        question_part(
            one,
            right=one.id in entry.right,
            wrong=entry.wrong.get(one.id, 0),
            hints=entry.helped.get(one.id, 0),
        )
        for one in task.questions
    )
    return Score(task.name, (*(judged or unjudged(task)), *answered), lost, reasons)


def state(task: Exercise, entry: Entry | None) -> str:
    """`new`; `begun`; `done`, once its check passed, if it is judged by one, and each question was answered; or `shown`,
    where its solution was."""
    if entry is None:
        return "new"
    answered = all(one.id in entry.right for one in task.questions)
    if answered and (entry.passed or not worths(task)):
        return "done"
    return "shown" if entry.solved else "begun"
