"""What is right, by the lab's plan and by the packets of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from srv6lab.evidence import fields
from srv6lab.evidence.packets import Direction, Place, Point
from srv6lab.evidence.prediction import Hop, Leg, Prediction
from srv6lab.evidence.probes import Found
from srv6lab.judge.compare.carried import by_identity
from srv6lab.judge.matched import At, matched
from srv6lab.plan.nodes import Plan
from srv6lab.srv6.flavors import NEXT_CSID
from srv6lab.teach import kinds, spelling
from srv6lab.teach.kinds import Kind
from srv6lab.topology.exercises import Exercise
from srv6lab.topology.questions import Answer, PacketAt

_WAYS = 64  # different ones of a probe's packets, at most


class Unseen(Exception):
    """The run has nothing by which an answer could be judged; the words say what is missing."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The right `values`, each as `kind` reads it; None says that there is none, which only what `may_lack` can be."""

    kind: Kind
    values: tuple[Any, ...]
    may_lack: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """All by which a question is judged."""

    plan: Plan
    task: Exercise
    found: Mapping[str, Found]
    predicted: Mapping[str, Prediction]


def truth(
    plan: Plan,
    task: Exercise,
    answer: Answer,
    found: Mapping[str, Found],
    predicted: Mapping[str, Prediction],
) -> Truth:
    """Of any answer that isn't sealed; Unseen where the packets that it is about weren't captured."""
    (key,) = answer.kinds
    return _TRUTHS[key](_Asked(plan, task, found, predicted), getattr(answer, key))


def _field(asked: _Asked, what: Any) -> Truth:
    hops = _at(asked, what)
    if not hops:
        raise _not_there(what, asked)
    value, kind = fields.asked(hops[0].packet, what.field), kinds.OF_FIELDS[what.kind]
    if what.kind == "protocol" and value is not None:
        value = spelling.protocol(str(value).lower())
    return Truth(kind, (value,), may_lack=True)


def _count(asked: _Asked, what: Any) -> Truth:
    if not any(one.hops for one in asked.found.values()):
        raise _not_there(what, asked)
    return Truth(kinds.NUMBER, (len(_at(asked, what)),))


def _at(asked: _Asked, what: PacketAt) -> list[Hop]:
    """The probe's packets there, in the order of the capture."""
    point, direction = Point.parse(what.at), Direction(what.direction)
    found = asked.found.get(what.probe)
    here = [one for one in (found.hops if found else ()) if (one.point, one.direction) == (point, direction)]
    return sorted(here, key=lambda one: one.packet.number)


def _not_there(what: PacketAt, asked: _Asked) -> Unseen:
    way = {"in": "coming in at", "out": "going out at"}[what.direction]
    return Unseen(f"no packet of {what.probe} was captured {way} {what.at} in the run of {asked.task.name}")


def _nodes(asked: _Asked, what: Any) -> Truth:
    ways = [[hop.point.node for hop in one.trace.hops[: one.step + 1]] for one in _last(asked, what)]
    lists = (tuple(name for at, name in enumerate(way) if at == 0 or name != way[at - 1]) for way in ways)
    return Truth(kinds.nodes(asked.plan), tuple(dict.fromkeys(lists)))


def _ends(asked: _Asked, what: Any) -> Truth:
    places = (_end(one) for one in _last(asked, what))
    return Truth(kinds.place(asked.plan), tuple(dict.fromkeys(map(str, places))))


def _end(last: At) -> Place:
    whole = last.step == len(last.trace.hops) - 1
    return last.trace.end.place if whole and last.trace.end.known else last.hop.point.place


def _last(asked: _Asked, what: Any) -> list[At]:
    """How far packets came, each on the walk that it took: those that went alike once."""
    found, prediction, leg = asked.found.get(what.probe), asked.predicted.get(what.probe), Leg(what.leg)
    ways = [] if found is None or prediction is None else list(_ways(found, prediction, leg))
    if not ways:
        back = " on its way back" if leg is Leg.BACK else ""
        raise Unseen(f"no packet of {what.probe} was captured{back} in the run of {asked.task.name}")
    return ways


def _ways(found: Found, prediction: Prediction, leg: Leg) -> Iterator[At]:
    for hops in _packets(found, leg):
        steps: dict[int, At] = {}
        for match in matched(replace(found, hops=hops, errors=()), prediction):
            at = match.linux or match.rfc
            if at is None:
                raise Unseen("packets went where they shouldn't: mend the lab, and check it again")
            if at.trace.leg is leg:
                steps[at.step] = at
        if steps:
            yield steps[max(steps)]


def _packets(found: Found, leg: Leg) -> list[tuple[Hop, ...]]:
    """The hops of a packet, of those that were seen at the same NICs of one; of segments of TCP all together."""
    if not found.counted:
        return [found.hops]
    alike: dict[frozenset[Any], tuple[Hop, ...]] = {}
    for seen in by_identity(found.hops)[leg].values():
        hops = tuple(Hop(*spot, view) for spot, views in seen.items() for view in views)
        alike.setdefault(frozenset((spot, len(views)) for spot, views in seen.items()), hops)
    return list(alike.values())[:_WAYS]


def _owner(asked: _Asked, sid: Any) -> Truth:
    names = [name for name, _, _ in owners(asked.plan, sid)] or _in_locator(asked.plan, sid)
    return Truth(kinds.node(asked.plan), tuple(dict.fromkeys(names)))


def _in_locator(plan: Plan, sid: IPv6Address) -> list[str]:
    """The node whose locator has a SID that BGP binds for a VPN."""
    routed = ((node.name, one.prefix) for node in plan.nodes if node.routing for one in node.routing.locators)
    return [name for name, prefix in routed if sid in prefix]


def _behavior(asked: _Asked, sid: Any) -> Truth:
    found = ((name, flavors) for _, name, flavors in owners(asked.plan, sid))
    return Truth(kinds.BEHAVIOR, tuple(dict.fromkeys(found)))


def _place(asked: _Asked, place: Any) -> Truth:
    return Truth(kinds.place(asked.plan), (str(place),))


def owners(plan: Plan, sid: IPv6Address) -> list[tuple[str, str, frozenset[str]]]:
    """The nodes that take a SID, each with its behavior and flavors: one, or all that share an anycast SID. A SID that
    is part of a carrier is taken by the longest prefix (RFC 9800 section 4.1)."""
    found: list[tuple[IPv6Network, IPv6Address, tuple[str, str, frozenset[str]]]] = []
    for node in plan.nodes:
        for one in (*node.local_sids, *node.spare.sids):
            flavors = frozenset((*one.flavors, *([NEXT_CSID] if one.csid or one.by else [])))
            found.append((one.prefix, one.sid, (node.name, one.behavior.name, flavors)))
        whole = [(proxy.sid, proxy.behavior.name) for proxy in node.proxies]
        whole += [(bound, "End.B6.Encaps") for bound in (node.headend.binding_sids if node.headend else ())]
        found += [(IPv6Network(one), one, (node.name, name, frozenset())) for one, name in whole]
    if exact := [who for _, address, who in found if address == sid]:
        return exact
    carried = [(prefix, who) for prefix, _, who in found if sid in prefix]
    longest = max((prefix.prefixlen for prefix, _ in carried), default=0)
    return [who for prefix, who in carried if prefix.prefixlen == longest]


_TRUTHS: Mapping[str, Callable[[_Asked, Any], Truth]] = {
    "field": _field,
    "count": _count,
    "nodes": _nodes,
    "ends": _ends,
    "owner": _owner,
    "behavior": _behavior,
    "place": _place,
}
