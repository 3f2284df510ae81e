"""Verdicts in points, what help costs, and tokens that only a learner's key makes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.score import Part, Score, lost_by_help
from srv6lab.evidence.tokens import is_of, token
from srv6lab.evidence.verdict import AlertTally, DiffersFromDay0, Item, Missing, PacketsSeen, Status, Verdict
from srv6lab.judge.score import parts, worths
from tests.small import planned
from tests.teach.small_tasks import TASKS

PLAN = planned(TASKS)
_, EXERCISE = PLAN.exercise("lost")
RIGHT = PacketsSeen(status=Status.PASS, point=Point("east", "eth1"), direction=Direction.IN, captured="3")
WRONG = Missing(status=Status.FAIL, point=Point("east", "eth1"), direction=Direction.IN, expected="3")
ALERT = AlertTally(status=Status.FAIL, field="alert", expected="3", captured="0")
DRIFT = DiffersFromDay0(status=Status.PASS, note="x")


def points(*items: Item) -> list[float]:
    return [float(one.points) for one in parts(EXERCISE, Verdict("lost", items))]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ((RIGHT, RIGHT), 6.0),
        ((RIGHT, WRONG), 1.5),  # half of the way is right, which gets half of half of the points
        ((WRONG, WRONG), 0.0),
        ((), 0.0),
        ((RIGHT, DRIFT), 6.0),
        ((WRONG, DRIFT), 0.0),  # what isn't judged is worth nothing
    ],
)
def test_a_walk_that_is_not_right_gets_half_at_most(items: tuple[Item, ...], expected: float) -> None:
    assert points(*items) == [expected]


def test_each_judged_thing_has_its_points() -> None:
    worth = EXERCISE.model_copy(update={"points": None})
    assert worths(worth) == {"walk": 6}
    said = type(EXERCISE).model_validate(
        {**EXERCISE.model_dump(by_alias=True, exclude={"points"}), "points": {"walk": 4, "alerts": 3}}
    )
    walk, alerts = parts(said, Verdict("lost", (RIGHT, ALERT)))
    assert (walk.points, walk.reason) == (4, "")
    assert (alerts.points, alerts.of) == (0, 3) and "expected 3, captured 0" in alerts.reason


def test_a_reason_says_what_and_how_many_more() -> None:
    (part,) = parts(EXERCISE, Verdict("lost", (WRONG, WRONG, WRONG)))
    assert part.reason.startswith("east:eth1 in: missing") and part.reason.endswith("and 2 more")


@given(st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_help_never_costs_more_than_half_but_a_solution_costs_all(
    hints: int, causes: int, solved: bool
) -> None:
    lost, reasons = lost_by_help(hints, causes, solved)
    assert lost == 1 if solved else 0 <= lost <= Fraction(1, 2)
    assert bool(reasons) == (lost > 0)
    score = Score("lost", (Part("walk", Fraction(6), 6),), lost, reasons)
    assert 0 <= score.points <= score.of


@given(st.text(min_size=1), st.text(), st.text())
def test_a_token_is_of_one_key_and_one_probe(key: str, probe: str, other: str) -> None:
    key, probe, other = (text.encode("utf-8", "replace").decode() for text in (key, probe, other))
    found = token(key, probe)
    assert len(found) == 32 and int(found, 16) >= 0
    assert is_of(key, probe, found)
    assert not is_of(f"{key}x", probe, found) and not is_of(key, f"{probe}x", found)
    assert token("", other) != token("", other)
