"""The sender's own word: whether it got the answers that the model says it gets, and where its packets end if not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import End, Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import AnswersMissing, CountDiffers, Item, LostByDesign, NotModeled, Status
from srv6lab.judge.compare.permitted import always_answered


def judge_answers(found: Found, prediction: Prediction, sound: Collection[Point]) -> Iterator[Item]:
    """Of a probe of ours: a learner's ping doesn't tell what it received."""
    if not found.sent.token:
        return
    if prediction.meanwhile:
        yield from _unseen(found, prediction, sound) if found.counted else ()
        return
    back = [one for one in prediction.linux if one.leg is Leg.BACK]
    sent, received = found.sent.sent, found.sent.received
    answered = always_answered(prediction) and back and all(map(prediction.heard, back))
    stuck = [one.end for one in prediction.largest if one.end.known and not one.end.delivered]
    if stuck:
        yield from _stuck(found, stuck)
    elif answered and received < sent:
        yield AnswersMissing(
            status=Status.FAIL,
            field="answers",
            predicted=str(sent),
            captured=str(received),
            alone="captured",
            note=found.sent.note or "so many the sender counted, whatever its tracer saw",
        )
    for leg in Leg:
        ends = [one.end for one in prediction.linux if one.leg is leg]
        if unknown := " or ".join(dict.fromkeys(str(end) for end in ends if not end.known)):
            yield NotModeled(status=Status.PASS, note=unknown)
        elif ends and not any(end.delivered for end in ends):
            where = " or ".join(dict.fromkeys(f"{end.place}: {end.reason}" for end in ends))
            yield LostByDesign(status=Status.PASS, note=f"LOST at {where}")


def _stuck(found: Found, ends: Sequence[End]) -> Iterator[Item]:
    """A transfer of which large packets are lost, and nobody tells its sender: it stalls."""
    where = " or ".join(dict.fromkeys(f"{end.place}: {end.reason}" for end in ends))
    yield LostByDesign(status=Status.PASS, note=f"the largest packets LOST at {where}")
    if found.sent.received:
        yield CountDiffers(
            status=Status.FAIL,
            field="answers",
            predicted="0",
            captured=str(found.sent.received),
            alone="captured",
            too_many=True,
            note=found.sent.note,
        )


def _unseen(found: Found, prediction: Prediction, sound: Collection[Point]) -> Iterator[Item]:
    """Answers that the sender got though none of its NICs shows them: while the lab changes no walk misses them."""
    ends = {
        one.hops[-1].point
        for one in prediction.linux
        if one.leg is Leg.BACK and one.end.delivered and one.hops
    }
    if not ends or not ends <= {*sound}:
        return
    answers = (hop for hop in found.hops if hop.point in ends and hop.direction is Direction.IN)
    seen = {hop.packet.icmp.sequence for hop in answers if hop.packet.icmp}
    if len(seen) < found.sent.received:
        yield CountDiffers(
            status=Status.FAIL,
            point=min(ends),
            direction=Direction.IN,
            field="packets",
            captured=f"{len(seen)} answers",
            predicted=str(found.sent.received),
            note="so many the sender counted",
        )
