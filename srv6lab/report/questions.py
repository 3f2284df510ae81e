"""A lab's questions and what came of an answer: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from srv6lab.called import CALLED
from srv6lab.plan.nodes import Plan
from srv6lab.report.learning import points
from srv6lab.report.table import aligned
from srv6lab.teach.questions import Answered, Asked


def questions_text(plan: Plan, every: Sequence[Asked]) -> str:
    """A line a question with what it is still worth, or came to; and how to answer one."""
    rows = [("EXERCISE", "QUESTION", "STATE", "POINTS", "ASKS")]
    rows += [(one.exercise, one.question.id, one.state, _points(one), one.question.ask) for one in every]
    right = sum(one.state == "right" for one in every)
    lines = [*aligned(rows), f"{right} of {len(every)} are answered"]
    if (one := next((one for one in every if not one.right), None)) is not None:
        lines.append(
            f"  answer one: {CALLED} answer {plan.running} --question {one.question.id} --text ANSWER"
        )
    return "\n".join(lines) + "\n"


def _points(one: Asked) -> str:
    return f"{points(one.part.points)}/{one.question.points}"


def questions_json(_plan: Plan, every: Sequence[Asked]) -> str:
    return json.dumps([_question(one) for one in every], indent=2) + "\n"


def _question(one: Asked) -> dict[str, object]:
    """Of one that isn't answered, `points` are what it is still worth."""
    return {
        "exercise": one.exercise,
        "question": one.question.id,
        "ask": one.question.ask,
        "state": one.state,
        "points": float(one.part.points),
        "of": one.question.points,
        "wrong": one.wrong,
        "hints": one.hints,
        "hints_left": len(one.question.hints) - one.hints,
        "answer": one.right,
    }


def answered_text(plan: Plan, one: Answered) -> str:
    asked = one.asked
    if one.judged.right:
        return f"{one.judged.note} ({_points(asked)} points)\n"
    lines = [f"{'wrong' if one.judged.counted else 'not counted'}: {one.judged.note}"]
    if one.judged.counted:
        lines.append(f"  {asked.question.id} is still worth {points(asked.part.points)} of {asked.part.of}")
    if asked.hints < len(asked.question.hints):
        lines.append(f"  a hint: {CALLED} hint {plan.running} --question {asked.question.id}")
    return "\n".join(lines) + "\n"


def answered_json(_plan: Plan, one: Answered) -> str:
    said = {"right": one.judged.right, "counted": one.judged.counted, "note": one.judged.note}
    return json.dumps({**said, **_question(one.asked)}, indent=2) + "\n"
