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


def judge_hops(
    plan: Plan,
    expected: Iterator[ExpectedHops],
    found: Mapping[str, Found],
    predicted: Mapping[str, Prediction],
    tracers: Mapping[Point, Tracer],
) -> Iterator[Item]:
    for one in expected:
        probe, prediction = found[one.probe], predicted[one.probe]
        if not probe.sent.sent:
            continue
        seen = [_seen(part, one.node) for part, _ in parts(probe, prediction)]
        modeled = [_answerers(part) for _, part in parts(probe, prediction)]
        last = next(
            (n for n, (_, part) in enumerate(parts(probe, prediction), 1) if _arrives(part)), len(seen)
        )
        blind = [at for at, tracer in tracers.items() if at.node == one.node and not tracer.sound]
        yield _tally(plan, one, seen[:last], modeled[:last], blind)


def _tally(
    plan: Plan,
    one: ExpectedHops,
    seen: Sequence[Answerer],
    modeled: Sequence[Sequence[Answerer]],
    blind: Sequence[Point],
) -> Item:
    """One item for all hops: it fails if the author's or the model's aren't those that were seen."""
    as_modeled = all(hop in some for hop, some in zip(seen, modeled, strict=True))
    author = one.hops or None
    as_expected = author is None or (
        len(author) == len(seen) and all(map(_is, [plan] * len(seen), author, seen))
    )
    foreseen = author is None or (
        len(author) == len(modeled)
        and all(any(_is(plan, name, hop) for hop in some) for name, some in zip(author, modeled, strict=True))
    )
    status = Status.PASS
    if not (as_modeled and as_expected and foreseen):
        status = (
            Status.INCONCLUSIVE if blind and NOBODY in map(_word, [plan] * len(seen), seen) else Status.FAIL
        )
    alone = {(True, False): "captured", (False, True): "predicted"}.get((foreseen, as_expected))
    alone = "expected" if as_modeled and not as_expected else alone
    return HopTally(
        status=status,
        field="hops",
        expected=", ".join(author) if author else None,
        predicted=", ".join(" or ".join(dict.fromkeys(_word(plan, hop) for hop in some)) for some in modeled),
        captured=", ".join(_word(plan, hop) for hop in seen),
        alone=alone if status is Status.FAIL and author else None,
        location=one.location if author else None,
        note=f"the tracer at {blind[0]} saw not all" if blind else "",
        probe=one.probe,
    )


def _is(plan: Plan, name: str, hop: Answerer) -> bool:
    """Whether an author's word names who answered."""
    return name in (NOBODY,) if hop is None else name in (str(hop), _word(plan, hop))


def _word(plan: Plan, hop: Answerer) -> str:
    owners = (node.name for node in plan.nodes if hop in node.addresses())
    return NOBODY if hop is None else next(owners, str(hop))


def _arrives(prediction: Prediction) -> bool:
    return any(one.end.delivered for one in prediction.linux if one.leg is Leg.THERE)


def _answerers(prediction: Prediction) -> Sequence[Answerer]:
    """Who answers a packet by the model, each way that it may take; nobody is None."""
    back = [one for one in (*prediction.linux, *prediction.told) if one.leg is Leg.BACK]
    found = dict.fromkeys(one.hops[0].packet.ends[0] for one in back if one.end.delivered and one.hops)
    there = [one for one in prediction.linux if one.leg is Leg.THERE]
    sure = len(found) >= len(there) and not any(_late(one.hops[0].packet) for one in back if one.hops)
    return [*found] if sure and found else [*found, None]


def _late(packet: PacketView) -> bool:
    """An error about a neighbor that doesn't answer comes when all questions to it are over, seconds later."""
    icmp = packet.icmp
    return icmp is not None and (packet.innermost.protocol, icmp.type, icmp.code) in _OF_NEIGHBORS


def _seen(found: Found, node: str) -> Answerer:
    """Who answered a packet, as the NICs of its sender saw it."""
    for hop in (*found.hops, *found.errors):
        if hop.point.node == node and hop.direction is Direction.IN:
            return hop.packet.innermost.source
    return None
