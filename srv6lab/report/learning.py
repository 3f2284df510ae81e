"""A learner's score and his place in the course: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction

from srv6lab.called import CALLED
from srv6lab.evidence.score import Score
from srv6lab.judge.score import worth
from srv6lab.plan.nodes import Plan
from srv6lab.report.table import aligned, wrapped
from srv6lab.teach.course import Station, following
from srv6lab.topology.exercises import Exercise


def points(value: Fraction) -> str:
    """`7`, or `7.5`."""
    return f"{float(value):.1f}".removesuffix(".0")


def scores_text(scores: Sequence[Score]) -> str:
    """Of each task what it came to, and a sentence for whatever is lost."""
    return "".join(f"{line}\n" for one in scores for line in _score_lines(one))


def task_text(plan: Plan, task: Exercise) -> str:
    """What a learner is to reach, how long it may take, what it is worth, and how to go on."""
    minutes = f", {task.minutes} minutes" if task.minutes else ""
    lines = [f"{task.name}: {worth(task)} points{minutes}", ""]
    lines += wrapped(" ".join(task.task.split()), 100)
    lines += [f"  {one.id}: {one.ask}" for one in task.questions]
    first = next((one.id for one in task.questions), "")
    after = [f"{CALLED} answer {plan.running} --question {first} --text ANSWER"] if first else []
    after += [f"{CALLED} hint {plan.running} helps ({len(task.hints)} hints)"] if task.hints else []
    after += [
        f"{CALLED} check {plan.running} judges it",
        f"{CALLED} reset {plan.running} goes back to the start",
    ]
    return "\n".join([*lines, "", *after]) + "\n"


def _score_lines(one: Score) -> list[str]:
    lines = [f"{one.exercise}: {points(one.points)} of {one.of} points"]
    for part in one.parts:
        why = f": {part.reason}" if part.reason else ""
        lines.append(f"  {part.name}: {points(part.points)} of {part.of}{why}")
    return lines + [f"  less {reason}" for reason in one.reasons]


def scores_json(scores: Sequence[Score]) -> str:
    """A list; points are numbers with one decimal at most."""
    return json.dumps([_score(one) for one in scores], indent=2) + "\n"


def _score(one: Score) -> dict[str, object]:
    parts = [
        {"name": part.name, "points": _number(part.points), "of": part.of, "reason": part.reason}
        for part in one.parts
    ]
    said = {"exercise": one.exercise, "points": _number(one.points), "of": one.of}
    return {**said, "parts": parts, "lost": list(one.reasons)}


def _number(value: Fraction) -> float:
    return round(float(value), 1)


def course_text(stations: Sequence[Station]) -> str:
    """A line a task, lab by lab, and what is next."""
    rows = [("LAB", "TASK", "STATE", "POINTS", "MINUTES")]
    rows += [(one.lab, one.exercise, one.state, _reached(one), str(one.minutes or "")) for one in stations]
    done = sum(one.state == "done" for one in stations)
    lines = [*aligned(rows), f"{done} of {len(stations)} tasks are done"]
    if (one := following(stations)) is not None:
        lines.append(
            f"  next: {CALLED} up lab={one.lab}, then {CALLED} start lab={one.lab} --exercise {one.exercise}"
        )
    return "\n".join(lines) + "\n"


def _reached(one: Station) -> str:
    best = points(Fraction(one.entry.best)) if one.entry else "-"
    return f"{best}/{one.of}"


def course_json(stations: Sequence[Station]) -> str:
    """Each task with all that was reached in it."""
    told = [
        {
            "lab": one.lab,
            "exercise": one.exercise,
            "description": one.description,
            "state": one.state,
            "of": one.of,
            "minutes": one.minutes,
            "reached": asdict(one.entry) if one.entry else None,
        }
        for one in stations
    ]
    return json.dumps(told, indent=2) + "\n"
