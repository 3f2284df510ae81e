"""What the model permits at each point, in the words in which a captured packet is described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest

from srv6lab.evidence.fields import differing
from srv6lab.evidence.packets import Direction, PacketView, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.shares import Way
from srv6lab.evidence.wording import foretell
from srv6lab.judge.compare.witnesses import UNLIMITED

Spot = tuple[Point, Direction]


@dataclass(frozen=True, slots=True)
class Permitted:
    """A packet that may be at a spot: `fields` by the RFC (unless not `by_rfc`: then only the kernel lets it come
    here), `linux` as the kernel is known to form it by `quirks` (None where it doesn't let it come here). Of the
    packets sent, `least` to `most` are such ones; `ways` are the walks that lead here so."""

    point: Point
    direction: Direction
    packet: PacketView
    fields: Mapping[str, str]
    linux: Mapping[str, str] | None
    quirks: tuple[str, ...]
    least: int
    most: int
    by_rfc: bool = True
    ways: tuple[Way, ...] = ()

    @property
    def variants(self) -> tuple[Mapping[str, str], ...]:
        """The RFC's word first."""
        return (self.fields,) if self.linux is None else (self.fields, self.linux)

    def nearest(self, described: Mapping[str, str]) -> Mapping[str, str]:
        """The one whole packet of these, never a mixture, that a captured one is held against."""
        return min(self.variants, key=lambda one: len(differing(one, described)))

    def permits(self, name: str) -> tuple[str, ...]:
        """The values of a field; none of one of which the model doesn't speak."""
        return tuple(dict.fromkeys(fields[name] for fields in self.variants if name in fields))

    def mismatches(self, described: Mapping[str, str]) -> int:
        return min(len(differing(one, described)) for one in self.variants)


def foresee(prediction: Prediction, sent: int, *, counted: bool = True) -> dict[Spot, list[Permitted]]:
    """All that may be seen of a probe of `sent` packets, by spot, in the order of the walk; of one that isn't `counted`
    each any number of times. What packets that aren't alike have in common may be there so many times."""
    found: dict[Spot, list[Permitted]] = {}
    for number, part in prediction.parts():
        for spot, them in _foresee(part, 1 if number else sent, counted).items():
            for one in them:
                _add(found.setdefault(spot, []), one)
    return found


def _add(here: list[Permitted], one: Permitted) -> None:
    """Beside those that are there already, or to the one that looks the same."""
    for index, same in enumerate(here):
        if (same.fields, same.linux, same.ways) == (one.fields, one.linux, one.ways):
            here[index] = replace(same, least=same.least + one.least, most=same.most + one.most)
            return
    here.append(one)


def _foresee(prediction: Prediction, sent: int, counted: bool) -> dict[Spot, list[Permitted]]:
    found: dict[Spot, list[Permitted]] = {}
    for leg in Leg:
        alternatives = list(_pairs(prediction, leg))
        unsure = _last_wires(prediction, leg)
        most = sent if counted and prediction.known(leg) else UNLIMITED
        sure = leg is Leg.THERE or always_answered(prediction)
        alike: dict[tuple[Spot, int, tuple[str, ...], tuple[str, ...]], list[Permitted]] = {}
        for way, hops in alternatives:
            visits: dict[Spot, int] = {}
            for by_rfc, by_linux in hops:
                either = by_rfc or by_linux
                if either is None:
                    continue
                spot = (either.point, either.direction)
                visits[spot] = visits.get(spot, 0) + 1
                one = replace(_foreseen(either, by_rfc, by_linux), ways=(way,))
                linux = tuple(one.linux.values()) if one.linux else ()
                alike.setdefault((spot, visits[spot], tuple(one.fields.values()), linux), []).append(one)
        for (spot, *_), same in alike.items():
            certain = sure and len(same) == len(alternatives) and same[0].linux is not None
            certain = certain and spot not in unsure
            ways = tuple(way for each in same for way in each.ways)
            one = replace(same[0], least=sent if certain else 0, most=most, ways=ways)
            found.setdefault(spot, []).append(one)
    return found


def _last_wires(prediction: Prediction, leg: Leg) -> set[Spot]:
    """The ends of the wire to a node that isn't modeled: whether it answers for its address isn't known, either."""
    unknown = (one for one in prediction.linux if one.leg is leg and not one.end.known)
    return {(hop.point, hop.direction) for trace in unknown for hop in trace.hops[-2:]}


def counters(prediction: Prediction, sent: int, *, counted: bool = True) -> dict[str, tuple[int, int]]:
    """The least and the most that each counter may have counted of a probe."""
    found: dict[str, tuple[int, int]] = {}
    for leg in Leg:
        adding = [trace.counted for trace in prediction.linux if trace.leg is leg]
        for name in dict.fromkeys(name for names in adding for name in names):
            times = [names.count(name) for names in adding]
            least, most = found.get(name, (0, 0))
            sure = leg is Leg.THERE or always_answered(prediction)
            further = sent * max(times) if counted else UNLIMITED
            found[name] = (least + (sent * min(times) if sure else 0), most + further)
    return found


def always_answered(prediction: Prediction) -> bool:
    """Whether none of the ways there loses the packet."""
    return all(trace.end.delivered for trace in prediction.linux if trace.leg is Leg.THERE)


def _pairs(prediction: Prediction, leg: Leg) -> Iterator[tuple[Way, list[tuple[Hop | None, Hop | None]]]]:
    """Walks by the RFC beside the same walks by Linux, each with its share; from where they part, each for itself."""
    rfc = [trace for trace in prediction.rfc if trace.leg is leg]
    linux = [trace for trace in prediction.linux if trace.leg is leg]
    for one, other in zip_longest(rfc, linux):
        either = other or one
        way = Way(either.share, either.choices) if either else Way(Fraction(0))
        yield way, list(_beside(one, other))


def _beside(one: Trace | None, other: Trace | None) -> Iterator[tuple[Hop | None, Hop | None]]:
    first, second = one.hops if one else (), other.hops if other else ()
    same = 0
    for left, right in zip(first, second, strict=False):
        if (left.point, left.direction) != (right.point, right.direction):
            break
        same += 1
        yield left, right
    yield from ((hop, None) for hop in first[same:])
    yield from ((None, hop) for hop in second[same:])


def _foreseen(either: Hop, by_rfc: Hop | None, by_linux: Hop | None) -> Permitted:
    linux = foretell(by_linux.packet) if by_linux else None
    fields = linux if linux is not None and either is by_linux else foretell(either.packet)
    quirks = by_linux.quirks if by_linux and (by_rfc is None or linux != fields) else ()
    return Permitted(
        either.point, either.direction, either.packet, fields, linux, quirks, 0, 0, by_rfc is not None
    )
