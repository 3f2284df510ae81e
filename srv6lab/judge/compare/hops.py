"""Who answers a traceroute: what the author expects, what the model predicts, and what the sender's NICs saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from srv6lab.errors import Location
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Address, Direction, PacketView, Point
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.evidence.verdict import HopTally, Item, Status
from srv6lab.judge.parts import parts
from srv6lab.plan.nodes import Plan
from srv6lab.topology.exercises import NOBODY

Answerer = Address | None
_OF_NEIGHBORS = {("icmp", 3, 1), ("icmpv6", 1, 3)}  # host unreachable, address unreachable


@dataclass(frozen=True, slots=True)
class ExpectedHops:
    """The hops of a probe from a `node`, as the author names them: nodes, addresses, or nobody; none if nothing is said."""

    probe: str
    node: str
    hops: tuple[str, ...]
    location: Location


def expected_hops(plan: Plan, exercise: str) -> Iterator[ExpectedHops]:
    """Of each probe with growing hop limits."""
    index, found = plan.exercise(exercise)
    for path, probe in found.probe_paths():
        if probe.kind.grows:
            where = plan.locate("exercises", index, *path, "hops")
            yield ExpectedHops(probe.id, probe.source, probe.hops, where)


@dataclass(frozen=True, slots=True)
class _Hop:
    """Of one packet who answered it, who answers it by the model (None where that isn't known), and whether it comes to
    its destination."""

    seen: Answerer
    modeled: Sequence[Answerer] | None
    last: bool


def judge_hops(
    plan: Plan,
    expected: Iterator[ExpectedHops],
    found: Mapping[str, Found],
    predicted: Mapping[str, Prediction],
    tracers: Mapping[Point, Tracer],
) -> Iterator[Item]:
    for one in expected:
        if found[one.probe].sent.sent:
            every = [_hop(part, of, one.node) for part, of in parts(found[one.probe], predicted[one.probe])]
            end = next((number for number, hop in enumerate(every, 1) if hop.last), len(every))
            blind = [at for at, tracer in tracers.items() if at.node == one.node and not tracer.sound]
            yield _tally(plan, one, every[:end], blind)


def _tally(plan: Plan, one: ExpectedHops, hops: Sequence[_Hop], blind: Sequence[Point]) -> Item:
    """One item for all hops: it fails if the author's or the model's aren't those that were seen."""
    author = one.hops or None
    names = one.hops or tuple(_word(plan, hop.seen) for hop in hops)
    same = len(names) == len(hops)
    as_modeled = all(hop.modeled is None or hop.seen in hop.modeled for hop in hops)
    as_expected = same and all(_is(plan, name, hop.seen) for name, hop in zip(names, hops, strict=False))
    foreseen = same and all(_foresees(plan, hop, name) for name, hop in zip(names, hops, strict=False))
    status = Status.PASS
    if not (as_modeled and as_expected and foreseen):
        unseen = blind and any(hop.seen is None for hop in hops)
        status = Status.INCONCLUSIVE if unseen else Status.FAIL
    alone = "expected" if as_modeled else "captured" if foreseen else "predicted" if as_expected else None
    return HopTally(
        status=status,
        field="hops",
        expected=", ".join(author) if author else None,
        predicted=", ".join(_words(plan, hop) for hop in hops),
        captured=", ".join(_word(plan, hop.seen) for hop in hops),
        alone=alone if status is Status.FAIL and author else None,
        location=one.location if author else None,
        note=f"the tracer at {blind[0]} saw not all" if blind else "",
        probe=one.probe,
    )


def _is(plan: Plan, name: str, hop: Answerer) -> bool:
    """Whether an author's word names who answered."""
    return name == NOBODY if hop is None else name in (str(hop), _word(plan, hop))


def _foresees(plan: Plan, hop: _Hop, name: str) -> bool:
    return hop.modeled is None or any(_is(plan, name, one) for one in hop.modeled)


def _words(plan: Plan, hop: _Hop) -> str:
    if hop.modeled is None:
        return "not modeled"
    return " or ".join(dict.fromkeys(_word(plan, one) for one in hop.modeled))


def _word(plan: Plan, hop: Answerer) -> str:
    owners = (node.name for node in plan.nodes if hop in node.addresses())
    return NOBODY if hop is None else next(owners, str(hop))


def _hop(found: Found, prediction: Prediction, node: str) -> _Hop:
    replies = [hop for hop in found.hops if hop.point.node == node and hop.direction is Direction.IN]
    errors = [hop for hop in found.errors if hop.point.node == node and hop.direction is Direction.IN]
    seen = next((hop.packet.innermost.source for hop in (*replies, *errors)), None)
    modeled = None if prediction.open else _answerers(prediction)
    return _Hop(seen, modeled, bool(replies) or _arrives(prediction))


def _arrives(prediction: Prediction) -> bool:
    return any(one.end.delivered for one in prediction.linux if one.leg is Leg.THERE)


def _answerers(prediction: Prediction) -> Sequence[Answerer]:
    """Who answers a packet by the model, each way that it may take; nobody is None."""
    back = [one for one in (*prediction.linux, *prediction.told) if one.leg is Leg.BACK]
    found = dict.fromkeys(one.hops[0].packet.ends[0] for one in back if prediction.heard(one) and one.hops)
    there = [one for one in prediction.linux if one.leg is Leg.THERE]
    sure = len(found) >= len(there) and not any(_late(one.hops[0].packet) for one in back if one.hops)
    return [*found] if sure and found else [*found, None]


def _late(packet: PacketView) -> bool:
    """An error about a neighbor that doesn't answer comes when all questions to it are over, seconds later."""
    icmp = packet.icmp
    return icmp is not None and (packet.innermost.protocol, icmp.type, icmp.code) in _OF_NEIGHBORS
