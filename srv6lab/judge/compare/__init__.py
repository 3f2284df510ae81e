"""The witnesses of an exercise → a Verdict. Nothing is mended here to make them agree.

Three speak of every packet at every point: what the author expected, what the model predicted, what was
captured. An item of the verdict says which of them stands alone. A packet that was not seen is a failure only
where a live tracer that dropped nothing would have seen it; anywhere else it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import (
    CountDiffers,
    DirectionUnknown,
    Item,
    Missing,
    ProbeNotSent,
    Status,
    TracerUnsound,
    Unexpected,
    Verdict,
)
from srv6lab.evidence.wording import Described
from srv6lab.judge.compare.alerts_and_counters import judge_alerts, judge_answered, judge_counts
from srv6lab.judge.compare.answers import judge_answers
from srv6lab.judge.compare.carried import judge_packets
from srv6lab.judge.compare.errors import judge_errors
from srv6lab.judge.compare.messages import judge_messages
from srv6lab.judge.compare.permitted import Permitted, Spot, counters, foresee
from srv6lab.judge.compare.point import PointContext, judge_spot
from srv6lab.judge.compare.typed import judge_typed
from srv6lab.judge.compare.variants import judge_variants
from srv6lab.judge.expectations import Expected
from srv6lab.judge.parts import parts

__all__ = ["compare", "judge_alerts", "judge_answered", "judge_counts", "judge_messages", "predicted_counts"]

_COUNTED = (CountDiffers, Missing, Unexpected)


def compare(
    exercise: str,
    expected: Sequence[Expected],
    found: Mapping[str, Found],
    tracers: Mapping[Point, Tracer],
    *,
    elsewhere_absent: bool | Collection[str],
    predicted: Mapping[str, Prediction] | None = None,
) -> Verdict:
    """Judge one exercise: `found` and `predicted` by probe, `tracers` for every point of the lab. Without
    `predicted` the author and the captures are the only witnesses. `elsewhere_absent` says of which probes nothing may be
    seen where no expectation has it: of all, of none, or of those."""
    items: list[Item] = []
    watched = {expectation.point for expectation in expected}
    if elsewhere_absent:
        watched |= set(tracers)
    for probe, one in found.items():
        mine = [expectation for expectation in expected if expectation.probe == probe]
        foreseen = foresee(predicted[probe], one.sent.sent, counted=one.counted) if predicted else None
        if foreseen is not None:
            foreseen = {spot: them for spot, them in foreseen.items() if _handed_in(tracers, spot[0])}
            watched |= {point for point, _ in foreseen}
        closed = probe in elsewhere_absent if isinstance(elsewhere_absent, Collection) else elsewhere_absent
        open_ = predicted is not None and predicted[probe].open
        if predicted and _stays(one, mine, predicted[probe]):
            judged = [*judge_answers(one, predicted[probe], ())]
        else:
            judged = list(_judge_probe(one, mine, foreseen, tracers, closed, open_))
        if predicted and one.sent.sent:
            sound = {at for at, it in tracers.items() if it.sound} - {*one.undirected}
            failed = any(isinstance(it, _COUNTED) and it.status is Status.FAIL for it in judged)
            for found_, prediction in parts(one, predicted[probe]) if one.counted else ():
                judged += judge_packets(found_, prediction, sound, failed)
                judged += judge_errors(found_, prediction, sound)
            judged += judge_answers(one, predicted[probe], sound)
            judged += judge_typed(one, predicted[probe])
        items += (replace(item, probe=probe) for item in judged)
    told = {item.point for item in items if item.status is Status.INCONCLUSIVE}
    items += [_unsound(tracers[point]) for point in sorted(watched - told) if not tracers[point].sound]
    return Verdict(exercise, tuple(items))


def _stays(found: Found, expected: Sequence[Expected], prediction: Prediction) -> bool:
    """Whether a probe of ours was not sent, and by the model it can't leave its node, nor does the author expect it."""
    left = any(one.hops or one.end.delivered or not one.end.known for one in prediction.linux)
    unsent = bool(found.sent.token) and not found.sent.sent
    return unsent and not left and not prediction.meanwhile and all(one.absent for one in expected)


def predicted_counts(
    predictions: Mapping[str, Prediction], found: Mapping[str, Found]
) -> dict[str, tuple[int, int]]:
    """The least and the most that each counter may have counted in an exercise, by the model."""
    total: dict[str, tuple[int, int]] = {}
    for probe, prediction in predictions.items():
        one = found[probe]
        counted = counters(prediction, one.sent.sent, counted=one.counted)
        for name, (least, most) in counted.items():
            before = total.get(name, (0, 0))
            total[name] = (before[0] + least, before[1] + most)
    return total


def _handed_in(tracers: Mapping[Point, Tracer], point: Point) -> bool:
    """Whether there is a capture to hold the model against: a point may have no tracer by the plan, and somebody
    who hands in pcaps may hand in some."""
    return point in tracers and tracers[point].state != "missing"


def _judge_probe(
    found: Found,
    expected: Sequence[Expected],
    foreseen: Mapping[Spot, Sequence[Permitted]] | None,
    tracers: Mapping[Point, Tracer],
    elsewhere_absent: bool,
    open_: bool,
) -> Iterator[Item]:
    if not found.sent.sent:
        # Our own probe that can't leave its node is the lab's failure; a ping that isn't in somebody's
        # captures says nothing about the lab.
        status = Status.FAIL if found.sent.token else Status.INCONCLUSIVE
        yield ProbeNotSent(status=status, note=f"probe {found.sent.probe} was not sent: {found.sent.note}")
        return
    for point in found.undirected:
        note = "no frame tells which MAC is this NIC's own, so directions can't be told"
        yield DirectionUnknown(status=Status.INCONCLUSIVE, point=point, note=note)
    seen: dict[Spot, list[Described]] = {}
    for hop in found.hops:
        seen.setdefault((hop.point, hop.direction), []).append(Described.of(hop.packet))
    wanted: dict[Spot, list[Expected]] = {}
    for expectation in expected:
        wanted.setdefault((expectation.point, expectation.direction), []).append(expectation)
    permitted = foreseen or {}
    for spot in _in_order(wanted, permitted, seen):
        blind = "directions can't be told" if spot[0] in found.undirected else _why_blind(tracers[spot[0]])
        nothing_else = ""
        if spot in wanted:
            nothing_else = "no expectation at this point has these addresses"
        elif elsewhere_absent:
            nothing_else = "seen where no expectation has it"
        here = PointContext(
            *spot,
            found.sent.sent,
            foreseen is not None,
            blind,
            nothing_else,
            elsewhere_absent,
            open_,
            found.counted,
        )
        yield from judge_spot(wanted.get(spot, ()), permitted.get(spot, ()), seen.get(spot, ()), here)
    yield from judge_variants(permitted, seen)


def _in_order(
    wanted: Iterable[Spot], permitted: Iterable[Spot], seen: Mapping[Spot, Sequence[Described]]
) -> Iterator[Spot]:
    """The author's order, then the walk's, then what nobody spoke of, as it came: nothing is decided by the time."""
    strays = sorted(seen, key=lambda spot: (min(one.packet.time for one in seen[spot]), spot))
    yield from dict.fromkeys([*wanted, *permitted, *strays])


def _unsound(tracer: Tracer) -> Item:
    return TracerUnsound(status=Status.INCONCLUSIVE, point=tracer.point, note=_why_blind(tracer))


def _why_blind(tracer: Tracer) -> str:
    """Why the absence of a packet in this capture proves nothing, or "" if it does."""
    if tracer.dropped:
        return f"the tracer dropped {tracer.dropped} packets"
    return "" if tracer.sound else tracer.note or f"tracer {tracer.state}"
