"""The questions of the course: each has an answer that its lab itself gives, and nothing that a learner is told has it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

import pytest

from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.questions import Question
from tests.conftest import LABS, SITE
from tests.teach.modeled_answers import answered, asked, right, written


def plan_of(lab: str) -> Plan:
    return SITE.load(SITE.refer(lab))[0]


def others(value: Any, plan: Plan) -> list[Any]:
    """Values of the same kind that are wrong."""
    nodes = [one.name for one in plan.nodes]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value + 256]
    if isinstance(value, tuple) and value and isinstance(value[-1], frozenset):
        return [("End.T" if value[0] != "End.T" else "End.X", value[1])]
    if isinstance(value, tuple):
        return [value[:-1], value[::-1] if len(value) > 1 else (*value, *value, *value)][len(value) < 2 :]
    if value is None:
        return []
    try:
        return [ip_address(int(ip_address(value)) ^ 1)]
    except ValueError:
        return [name for name in nodes if name not in (value, str(value).partition("/")[0])][:2]


def said_of(text: str, value: Any, kind: str) -> bool:
    """Whether a text has an answer in it: small numbers and single nodes may stand in any sentence about a lab."""
    if isinstance(value, (bool, int)) or value is None:
        return isinstance(value, int) and value > 64 and bool(re.search(rf"\b{value}\b", text))
    return len(written(value, kind)) > 3 and written(value, kind).lower() in text.lower()


@pytest.mark.parametrize("lab", LABS)
def test_the_right_answer_is_right_and_another_is_wrong_and_not_told(lab: str) -> None:
    plan = plan_of(lab)
    for task, question in asked(plan):
        check(plan, task, question)


def check(plan: Plan, task: Exercise, question: Question) -> None:
    (kind,) = question.answer.kinds
    if kind == "sealed":
        assert not answered(plan, task, question, "no such thing").right
        return
    truth = right(plan, task, question)
    assert truth.values, f"{question.id}: nothing is right"
    for value in truth.values:
        text = written(value, kind)
        for spelled in (text, f" {text.upper()} "):
            assert answered(plan, task, question, spelled).right, (question.id, spelled)
        told = isinstance(value, tuple) and said_of(question.ask, value, kind)
        assert not told, f"{question.id} says its own answer"
        for wrong in others(value, plan):
            if wrong in truth.values:
                continue
            judged = answered(plan, task, question, written(wrong, kind))
            assert not judged.right, (question.id, wrong)
            if isinstance(value, (tuple, str)) and not listed(value, judged.note):
                assert not said_of(judged.note, value, kind), (question.id, judged.note)
        for hint in question.hints:
            assert not said_of(hint, value, kind), f"{question.id}: the hint {hint!r} tells {value}"


def listed(value: Any, note: str) -> bool:
    """A note may name every node of the lab, the right one among them."""
    return isinstance(value, str) and "(" in note
