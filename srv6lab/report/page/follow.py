"""What each witness has at each step of a probe's walks: the model's hop, the author's expectation, the packets that
were captured there.

Nothing is judged: `judge` has done that, and its words are shown. It is only said what is shown beside what.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found
from srv6lab.evidence.wording import Described, foretell
from srv6lab.judge.expectations import Expected
from srv6lab.judge.matched import At, Match, matched

Spot = tuple[Point, Direction]


@dataclass(slots=True)
class Step:
    """A packet at a point as each witness has it: `by_rfc` and `by_linux` are the model's hops (None where it has
    none) and `rfc` and `linux` their fields, `expected` is the author's, `captured` what was seen."""

    spot: Spot
    by_rfc: Hop | None = None
    by_linux: Hop | None = None
    rfc: Mapping[str, str] = field(default_factory=dict)
    linux: Mapping[str, str] = field(default_factory=dict)
    expected: Expected | None = None
    captured: list[Described] = field(default_factory=list)

    @classmethod
    def of(cls, rfc: Hop | None, linux: Hop | None) -> Step:
        either = rfc or linux
        assert either
        fields, others = (foretell(one.packet) if one else {} for one in (rfc, linux))
        return cls((either.point, either.direction), rfc, linux, fields, others)

    @property
    def model(self) -> Hop | None:
        return self.by_rfc or self.by_linux

    def looks(self) -> list[Mapping[str, str]]:
        """What it may look like by the model, or how it was captured where the model has none."""
        foretold = [one for one in (self.rfc, self.linux) if one]
        return foretold or [one.fields for one in self.captured[:1]]


@dataclass(frozen=True, slots=True)
class Followed:
    """A walk with all that is known of it: `trace` is the model's, None for what it doesn't foresee, `linux` the same
    walk as Linux has it. `witness` says whose it is: the RFC's, Linux's alone, or only captured. `error` says that it is
    of ICMP errors about packets of the probe."""

    leg: Leg
    witness: str
    trace: Trace | None
    linux: Trace | None
    steps: tuple[Step, ...]
    error: bool = False


def follow(prediction: Prediction, expected: Sequence[Expected], found: Found | None) -> list[Followed]:
    """The walks of a probe: those that are predicted, those of errors that came, and what isn't foreseen."""
    walks, errors = list(_predicted(prediction)), [_alone(one, error=True) for one in prediction.told]
    strays = list(_place(found, prediction, (*walks, *errors))) if found else []
    walks += [one for one in errors if any(step.captured for step in one.steps)]
    left = _expect([step for walk in walks for step in walk.steps], expected)
    for error in (False, True):
        mine = [stray for stray in strays if stray.error is error]
        if steps := tuple(_strays(mine, left)):
            walks.append(Followed(Leg.THERE, "captured", None, None, steps, error))
        left = []
    return walks


def _predicted(prediction: Prediction) -> Iterator[Followed]:
    """Each walk by the RFC with the same walk by Linux; then those of Linux alone."""
    ways = [_way(trace) for trace in prediction.rfc]
    for index, trace in enumerate(prediction.rfc):
        linux = prediction.linux[index] if index < len(prediction.linux) else None
        same = linux if linux and _way(linux) == _way(trace) else None
        hops = same.hops if same else (None,) * len(trace.hops)
        steps = tuple(Step.of(rfc, other) for rfc, other in zip(trace.hops, hops, strict=True))
        yield Followed(trace.leg, "rfc", trace, same, steps)
    yield from (_alone(trace) for trace in prediction.linux if _way(trace) not in ways)


def _way(trace: Trace) -> object:
    return trace.leg, trace.number, [(hop.point, hop.direction) for hop in trace.hops]


def _alone(trace: Trace, *, error: bool = False) -> Followed:
    steps = tuple(Step.of(None, hop) for hop in trace.hops)
    return Followed(trace.leg, "linux", trace, trace, steps, error)


# --- what was captured


def _place(found: Found, prediction: Prediction, walks: Sequence[Followed]) -> Iterator[Match]:
    """Put each packet at its step; those that have none are left."""
    steps = {
        id(trace): walk.steps for walk in walks for trace in (walk.trace, walk.linux) if trace is not None
    }
    for match in matched(found, prediction):
        mine = {id(step): step for at in (match.rfc, match.linux) for step in _steps(steps, at)}
        if not mine:
            yield match
            continue
        packet = Described(match.packet, match.fields)
        for step in mine.values():
            step.captured.append(packet)


def _steps(steps: Mapping[int, Sequence[Step]], at: At | None) -> Iterator[Step]:
    if at is not None and id(at.trace) in steps:
        yield steps[id(at.trace)][at.step]


# --- what the author expects


def _expect(steps: Iterable[Step], expected: Sequence[Expected]) -> list[Expected]:
    """Give each step the expectation that it fits best, or the one by which it isn't there; those that no step has are
    left, but what must be absent."""
    at: dict[Spot, list[Expected]] = {}
    for one in expected:
        at.setdefault((one.point, one.direction), []).append(one)
    taken: set[int] = set()
    for step in steps:
        here = at.get(step.spot, ())
        present = _best((one for one in here if not one.absent), step)
        best = present or [one for one in here if one.absent and not min(_far([one], step))[0]]
        if best:
            step.expected = best[0]
            taken |= {id(one) for one in best}
    return [one for one in expected if id(one) not in taken and not one.absent]


def _best(expected: Iterable[Expected], step: Step) -> list[Expected]:
    """Of those that are about such a packet the ones from which it differs least, and of these what says most."""
    packet = step.model.packet if step.model else step.captured[0].packet
    meant = [one for one in expected if one.means(packet)]
    far = _far(meant, step)
    return [one for one, distance in zip(meant, far, strict=True) if distance == min(far)]


def _far(expected: Iterable[Expected], step: Step) -> list[tuple[int, int]]:
    return [(min(map(one.mismatches, step.looks())), -len(one.fields)) for one in expected]


# --- what isn't foreseen


def _strays(matches: Sequence[Match], expected: Sequence[Expected]) -> Iterator[Step]:
    """Expectations where the model has no packet, and packets where it has none: those that look alike at a point are
    one step, in the order of time."""
    steps: dict[object, Step] = {}
    for one in sorted(matches, key=lambda one: one.packet.time):
        packet, spot = Described.of(one.packet), (one.point, one.direction)
        look = (spot, *(packet.fields.get(name) for name in _LOOK))
        steps.setdefault(look, Step(spot)).captured.append(packet)
    left = _expect(steps.values(), expected)
    yield from (Step((one.point, one.direction), expected=one) for one in left)
    yield from steps.values()


_LOOK = (
    "source", "destination", "hop_limit", "segment_list", "segments_left", "protocol", "inner.source",
    "inner.destination", "inner.hop_limit",
)  # fmt: skip
