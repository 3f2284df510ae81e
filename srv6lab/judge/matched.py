"""Which hop of the model each captured packet of a probe is at: for whoever shows the two beside each other.

Nothing is judged here. A packet is followed by its identity along the walk that it fits best, as the judge does; one
that is at a spot where its walk isn't, or once more than its walk comes by, is at no hop of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from srv6lab.evidence.fields import differing
from srv6lab.evidence.packets import Direction, PacketView, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found
from srv6lab.evidence.wording import describe, foretell
from srv6lab.judge.compare.carried import Seen, by_identity
from srv6lab.judge.compare.permitted import Spot
from srv6lab.judge.parts import parts


@dataclass(frozen=True, slots=True)
class At:
    """A hop of a walk: `step` counts from 0."""

    trace: Trace
    step: int

    @property
    def hop(self) -> Hop:
        return self.trace.hops[self.step]


@dataclass(frozen=True, slots=True)
class Differing:
    """A field with another value than the model's nearest packet has."""

    field: str
    predicted: str
    captured: str


@dataclass(frozen=True, slots=True)
class Match:
    """A captured packet of a probe, and where it is on its walk: by the RFC and by Linux, None where that one has no such
    hop. With neither the model has no such packet there. `differs` is held against the nearer of the two. An `error` is
    an ICMP error about a packet of the probe. `last` says that its walk goes on, but nobody saw the packet there. `fields`
    is the packet in words, where it had to be put into them."""

    probe: str
    point: Point
    direction: Direction
    packet: PacketView
    rfc: At | None = None
    linux: At | None = None
    differs: tuple[Differing, ...] = ()
    error: bool = False
    last: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def either(self) -> tuple[At | None, At | None]:
        return self.rfc, self.linux

    @property
    def at(self) -> At | None:
        """By the RFC, or by Linux where only that has it."""
        return self.rfc or self.linux


def matched(found: Found, prediction: Prediction) -> list[Match]:
    """Every packet of a probe that was captured, errors about it too."""
    probe, matches = found.sent.probe, list[Match]()
    for mine, part in parts(found, prediction):
        words = _Words()
        for leg, packets in by_identity(mine.hops).items():
            ways = _ways(part, leg)
            for seen in packets.values():
                matches += _along(probe, seen, ways, words)
        anonymous = (hop for hop in mine.hops if hop.packet.icmp is None and hop.packet.udp is None)
        matches += (_nearest(probe, hop, (*part.rfc, *part.linux), words) for hop in anonymous)
        matches += (replace(_nearest(probe, hop, part.told, words), error=True) for hop in mine.errors)
    return matches


@dataclass(frozen=True, slots=True)
class _Way:
    """The same walk by the RFC and by Linux."""

    rfc: Trace | None
    linux: Trace | None

    def nearer(self, seen: Seen) -> tuple[int, Trace]:
        sides = [(_wrong(one, seen), one) for one in (self.linux, self.rfc) if one]
        return min(sides, key=lambda side: side[0])

    def at(self, trace: Trace, step: int) -> tuple[At | None, At | None]:
        """A step by the RFC and by Linux: of the one whose it isn't only as long as the two haven't parted."""
        other = self.linux if trace is self.rfc else self.rfc
        beside = other is not None and list(map(_spot, other.hops[: step + 1])) == list(
            map(_spot, trace.hops[: step + 1])
        )
        here, there = At(trace, step), At(other, step) if other is not None and beside else None
        return (here, there) if trace is self.rfc else (there, here)


class _Words:
    """The words of hops, each once: a probe's many packets are held against the same few."""

    def __init__(self) -> None:
        self._known: dict[int, Mapping[str, str]] = {}

    def of(self, hop: Hop) -> Mapping[str, str]:
        if id(hop) not in self._known:
            self._known[id(hop)] = foretell(hop.packet)
        return self._known[id(hop)]


def _ways(prediction: Prediction, leg: Leg) -> list[_Way]:
    rfc, linux = ([one for one in them if one.leg is leg] for them in (prediction.rfc, prediction.linux))
    return [_Way(one, other) for one, other in zip_longest(rfc, linux)]


def _along(probe: str, seen: Seen, ways: Sequence[_Way], words: _Words) -> Iterator[Match]:
    """One packet of a probe, along the walk that it fits best."""
    left = {spot: list(views) for spot, views in seen.items()}
    found: list[Match] = []
    if ways:
        way, trace = _fitting(ways, seen, words)
        for step, hop in enumerate(trace.hops):
            if views := left.get(_spot(hop)):
                found.append(_match(probe, hop, views.pop(0), way.at(trace, step), words))
                last = step
        if found and last < len(trace.hops) - 1:
            found[-1] = replace(found[-1], last=True)
    yield from found
    for (point, direction), views in left.items():
        yield from (Match(probe, point, direction, view) for view in views)


def _fitting(ways: Sequence[_Way], seen: Seen, words: _Words) -> tuple[_Way, Trace]:
    """The walk with the fewest spots that are otherwise, of several such with the fewest fields that are."""
    sides = [(way, *way.nearer(seen)) for way in ways]
    least = min(wrong for _, wrong, _ in sides)
    best = [(way, trace) for way, wrong, trace in sides if wrong == least]
    return best[0] if len(best) == 1 else min(best, key=lambda one: _unlike(one[1], seen, words))


def _wrong(trace: Trace, seen: Seen) -> int:
    due = Counter(map(_spot, trace.hops))
    return sum(abs(due[spot] - len(seen.get(spot, ()))) for spot in {*due, *seen})


def _unlike(trace: Trace, seen: Seen, words: _Words) -> int:
    """How many fields of a packet, seen on its way, aren't as a walk has them."""
    left = {spot: list(views) for spot, views in seen.items()}
    return sum(
        len(differing(words.of(hop), describe(views.pop(0))))
        for hop in trace.hops
        if (views := left.get(_spot(hop)))
    )


def _nearest(probe: str, hop: Hop, traces: Sequence[Trace], words: _Words) -> Match:
    """A packet that can't be told from its like, at the hop of the model there that it is most like."""
    here = [At(one, step) for one in traces for step, it in enumerate(one.hops) if _alike(it, hop)]
    if not here:
        return Match(probe, hop.point, hop.direction, hop.packet)
    fields = describe(hop.packet)
    best = min(here, key=lambda one: len(differing(words.of(one.hop), fields)))
    return _match(probe, hop, hop.packet, (best, None), words)


def _alike(one: Hop, other: Hop) -> bool:
    return _spot(one) == _spot(other) and one.packet.ends == other.packet.ends


def _match(probe: str, hop: Hop, packet: PacketView, at: tuple[At | None, At | None], words: _Words) -> Match:
    rfc, linux = at
    fields = describe(packet)
    nearest = min((words.of(one.hop) for one in at if one), key=lambda one: len(differing(one, fields)))
    differs = tuple(Differing(name, nearest[name], fields[name]) for name in differing(nearest, fields))
    return Match(probe, hop.point, hop.direction, packet, rfc, linux, differs, fields=fields)


def _spot(hop: Hop) -> Spot:
    return hop.point, hop.direction
