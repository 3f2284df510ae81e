"""A verdict in points: what of each judged thing is as it should be.

A walk that is right from end to end gets all of its points; of one that isn't, at most half: for how far it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from srv6lab.evidence.score import Part, of_question
from srv6lab.evidence.verdict import NOTES, Item, Status, Verdict
from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.questions import Question

WALK, ALERTS, COUNTERS, ANSWERED, MESSAGES = "walk", "alerts", "counters", "answered", "messages"
_OF = {
    "alert": ALERTS,
    "counter": COUNTERS,
    "answered": ANSWERED,
    "answers": ANSWERED,
    "hops": ANSWERED,
    "message": MESSAGES,
    "settled": MESSAGES,
    "routing": MESSAGES,
    "policies": MESSAGES,
    "sids": MESSAGES,
}
_STANDARD = {WALK: 6}  # and 2 for each other
_OTHERS = 2
_HALF = Fraction(1, 2)
_MOST_WORDS = 240


def parts(exercise: Exercise, verdict: Verdict) -> tuple[Part, ...]:
    """The points of each thing that the exercise judges, in a fixed order; a thing with no points is left out."""
    judged = _by_part(verdict.items)
    worth = worths(exercise)
    return tuple(_part(name, of, judged.get(name, ()), verdict) for name, of in worth.items() if of)


def marked(plan: Plan) -> tuple[Exercise, ...]:
    """The exercises of a lab that have points: its tasks, or all of a lab without any."""
    return tuple(one for one in plan.exercises if one.is_task) or plan.exercises


def worths(exercise: Exercise) -> Mapping[str, int]:
    """What each judged thing is worth: what the exercise says, else 6 for walks and 2 for each other that it expects.
    One that only asks is worth its questions."""
    if exercise.points is not None:
        return exercise.points.model_dump()
    if exercise.only_asks:
        return {}
    return {name: _STANDARD.get(name, _OTHERS) for name in _expected(exercise)}


def worth(exercise: Exercise) -> int:
    """All points of an exercise, those of its questions among them."""
    return sum(worths(exercise).values()) + sum(one.points for one in exercise.questions)


def unjudged(exercise: Exercise) -> tuple[Part, ...]:
    """The parts of one that wasn't checked yet."""
    return tuple(
        Part(name, Fraction(0), of, "not checked yet") for name, of in worths(exercise).items() if of
    )


def question_part(question: Question, *, right: bool, wrong: int = 0, hints: int = 0) -> Part:
    """What a question came to, after so many wrong answers and hints."""
    counted = [f"{wrong} wrong answer{'s' * (wrong != 1)}"] if wrong else []
    counted += [f"{hints} hint{'s' * (hints != 1)}"] if hints else []
    points = of_question(question.points, wrong, hints) if right else Fraction(0)
    why = " and ".join(counted) if right else ", ".join(["not answered", *counted])
    return Part(f"question {question.id}", points, question.points, why)


def _expected(exercise: Exercise) -> Iterator[str]:
    expect = exercise.expect
    if expect.packets or expect.walk or not (expect.alerts or expect.counters or expect.control):
        yield WALK
    if expect.alerts:
        yield ALERTS
    if expect.counters:
        yield COUNTERS
    if any(probe.answered or probe.hops for probe in exercise.every_probe()):
        yield ANSWERED
    if expect.control:
        yield MESSAGES


def _by_part(items: Sequence[Item]) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in items:
        if not isinstance(item, NOTES):
            found.setdefault(_OF.get(item.kind, WALK), []).append(item)
    return found


def _part(name: str, of: int, items: Sequence[Item], verdict: Verdict) -> Part:
    if verdict.status is Status.PASS:
        return Part(name, Fraction(of), of)
    wrong = [item for item in items if item.status is not Status.PASS]
    if items and not wrong:
        return Part(name, Fraction(of), of)
    right = Fraction(len(items) - len(wrong), len(items)) if items else Fraction(0)
    return Part(name, of * right * _HALF, of, _reason(wrong))


def _reason(wrong: Sequence[Item]) -> str:
    """A sentence for the first thing that is wrong, and how many more there are."""
    if not wrong:
        return "nothing of it was seen"
    first = wrong[0]
    where = (
        f"{first.point} {first.direction}: "
        if first.point and first.direction
        else f"{first.point}: "
        if first.point
        else ""
    )
    words = " ".join(f"{where}{first.gist()}".split())[:_MOST_WORDS]
    return words + (f"; and {len(wrong) - 1} more" if len(wrong) > 1 else "")
