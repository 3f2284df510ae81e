"""Where a probe's walk breaks: the first point at which captures and model part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from srv6lab.evidence.fields import differing
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, PacketView, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import Item, ShareDiffers, Status
from srv6lab.evidence.wording import describe, foretell

_SURE = 20  # flows by its share, so that none at all is no chance


@dataclass(frozen=True, slots=True)
class Divergence:
    """`region` are the hops among which a packet of `trace` was lost or changed: the last of them is the first
    that wasn't captured as predicted, those before it have no tracer that could tell. `before` is the hop that
    was still right, None if none was. `seen` are the packets that were there instead."""

    trace: Trace
    region: tuple[Hop, ...]
    before: Hop | None
    seen: tuple[PacketView, ...] = ()


def find_break(prediction: Prediction, found: Found, tracers: Mapping[Point, Tracer]) -> Divergence | None:
    """The break of one probe; of several permitted walks, that of the first which must have been taken by some of so
    many flows, else that of the one which came farthest. None where all was as predicted, or no packet was sent."""
    if not found.sent.sent:
        return None
    for leg in Leg:
        walks = [trace for trace in prediction.linux if trace.leg is leg]
        broken = [_along(trace, found, tracers) for trace in walks]
        if not prediction.meanwhile and len(walks) > 1:
            for trace, one in zip(walks, broken, strict=True):
                if one and not trace.choices and trace.share * found.sent.sent >= _SURE:
                    return one
        if broken and all(broken):
            reached = [
                (len(trace.hops) if one is None else _index(one), one)
                for trace, one in zip(walks, broken, strict=True)
            ]
            return max(reached, key=lambda pair: pair[0])[1]
    return None


def unlikely(items: Sequence[Item], prediction: Prediction) -> Iterator[Divergence]:
    """Where a probe's flows part, with another share than predicted: as if the first of the walks there broke."""
    failed = {
        (one.point, one.direction)
        for one in items
        if isinstance(one, ShareDiffers) and one.status is Status.FAIL
    }
    for trace in prediction.linux:
        for before, hop in pairwise(trace.hops):
            parted = trace.share < 1 or trace.choices
            if (hop.point, hop.direction) in failed and hop.direction is Direction.OUT and parted:
                yield Divergence(trace, (hop,), before)
                return


def _index(broken: Divergence) -> int:
    return broken.trace.hops.index(broken.region[-1])


def _along(trace: Trace, found: Found, tracers: Mapping[Point, Tracer]) -> Divergence | None:
    unknown: list[Hop] = []
    before: Hop | None = None
    for hop in trace.hops:
        tracer = tracers.get(hop.point)
        here = [one.packet for one in _at(hop, found) if _flow(one) == _flow(hop)]
        fields = foretell(hop.packet)
        right = [packet for packet in here if not differing(fields, describe(packet))]
        if len(right) >= (found.sent.sent if trace.share == 1 and not trace.choices else 1):
            unknown, before = [], hop
            continue
        if len(right) == len(here) and (tracer is None or not tracer.sound):
            unknown, before = ([], hop) if here else ([*unknown, hop], before)
            continue
        wrong = tuple(packet for packet in here if packet not in right)
        return Divergence(trace, (*unknown, hop), before, wrong)
    return None


def lost_traces(prediction: Prediction, found: Found) -> Iterator[tuple[Trace, tuple[Hop, ...]]]:
    """The walks that end with a packet lost, each with the packets that went on all the same."""
    for trace in prediction.linux if not prediction.meanwhile else ():
        lost = trace.end.known and not trace.end.delivered
        others = (one for one in prediction.linux if one.leg is trace.leg and one is not trace)
        if trace.hops and lost and (strays := strays_of([trace, *others], found)):
            yield trace, strays


def strays_of(walks: Sequence[Trace], found: Found) -> tuple[Hop, ...]:
    """Packets of these walks' flow at places that they don't come to."""
    places = {(hop.point, hop.direction) for trace in walks for hop in trace.hops}
    flow = _flow(walks[0].hops[0])
    return tuple(hop for hop in found.hops if _flow(hop) == flow and (hop.point, hop.direction) not in places)


def _at(hop: Hop, found: Found) -> Iterator[Hop]:
    return (one for one in found.hops if (one.point, one.direction) == (hop.point, hop.direction))


def _flow(hop: Hop) -> tuple[object, object]:
    return hop.packet.ends
