"""What is known of a lab at one time, and what became otherwise between two times: values only, no machine.

What couldn't be read is `unknown`, and never taken for down or gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TypeVar

UP, DOWN, UNKNOWN = "up", "down", "unknown"
Value = str | int | bool | None
Key = TypeVar("Key")
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; with `first` how something was found when nothing had been told of it. `kind` says which
    `fields` it has: docs/watch.md."""

    kind: str
    fields: Mapping[str, Value]
    first: bool = False

    @property
    def node(self) -> str:
        """The node that it is of, "" for the whole lab."""
        return str(self.fields.get("node") or "")


@dataclass(frozen=True, slots=True)
class Counted:
    """What a NIC has counted since it was made."""

    received: int
    sent: int
    received_bytes: int = 0
    sent_bytes: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A route of the kernel, `how` in the words of ip(8). Where it is a SID's, `behavior` says which; `packets` is what
    the kernel counted for it, None where it doesn't count."""

    prefix: str
    table: str
    how: str
    protocol: str = ""
    behavior: str = ""
    packets: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an exercise; `when` in ISO 8601, `gist` the cause or what is wrong first, `mend` how to mend it."""

    status: str
    when: str
    passed: int = 0
    judged: int = 0
    gist: str = ""
    cause: str = ""
    proven: bool = False
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """An SR policy as the agent of its headend tells: what it does, and the active candidate path."""

    name: str
    action: str
    candidate: str
    segments: str


@dataclass(frozen=True, slots=True)
class Lab:
    """Which lab, and whether it is up. `state` is up, starting, destroyed or unknown; `busy` while another command is at
    work on it; `stale` says why its file no longer tells what is up, "" if it does."""

    state: str = "destroyed"
    lab: str = ""
    instance: str = ""
    provider: str = ""
    since: str = ""
    busy: bool = False
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known at one time. Nodes, tracers and NICs are "up", "down" or "unknown"; `routes` are by
    node or namespace (`r1`, `r1/service`), as they were when they could be read last. `served` are packets by namespace and SID,
    with who counted them (kernel or captures). `lacks` is what the routing protocols of a node haven't brought, `drift`
    what isn't as Day0 left it, both None where nobody could tell. `trouble` says what couldn't be read, and why."""

    lab: Lab = field(default_factory=Lab)
    nodes: Mapping[str, str] = field(default_factory=dict)
    tracers: Mapping[str, str] = field(default_factory=dict)
    nics: Mapping[str, str] = field(default_factory=dict)
    packets: Mapping[str, Counted] = field(default_factory=dict)
    routes: Mapping[str, frozenset[Route]] = field(default_factory=dict)
    served: Mapping[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    policies: Mapping[tuple[str, str], Policy] = field(default_factory=dict)
    lacks: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    drift: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    runs: Mapping[str, Outcome] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)

    def sids(self) -> dict[tuple[str, str], Route]:
        """The SIDs by namespace and prefix."""
        return {
            (place, route.prefix): route
            for place, routes in self.routes.items()
            for route in sorted(routes)
            if route.behavior
        }


def events(before: Known | None, now: Known) -> Iterator[Event]:
    """What is otherwise than before; without a before all that is known. Of a lab that has gone only that is told, and of
    one that came up again everything."""
    if before is None or before.lab != now.lab:
        told = {one.name: getattr(now.lab, one.name) for one in fields(now.lab)}
        yield Event("lab", told, before is None)
    yield from _trouble(before or Known(), now)
    for exercise, outcome in _new(before.runs if before else {}, now.runs):
        said = {one.name: getattr(outcome, one.name) for one in fields(outcome)}
        yield Event("verdict", {"exercise": exercise} | said, before is None)
    if now.lab.state == UP:
        yield from _of_nodes(before if before and before.lab.state == UP else Known(), now)


def _of_nodes(before: Known, now: Known) -> Iterator[Event]:
    states = (("node", before.nodes, now.nodes), ("tracer", before.tracers, now.tracers))
    for kind, was, is_ in (*states, ("nic", before.nics, now.nics)):
        for name, state in _new(was, is_):
            yield Event(kind, _placed(name) | {"state": state}, name not in was)
    for place, routes in now.routes.items():
        yield from _routes(place, before.routes.get(place), routes)
    for point, counted in _new(before.packets, now.packets):
        told = {one.name: getattr(counted, one.name) for one in fields(counted)}
        yield Event("packets", _placed(point) | told, point not in before.packets)
    for key, (packets, source) in _new(before.served, now.served):
        change: dict[str, Value] = {"change": "counted", "packets": packets, "counted_by": source}
        yield Event("sid", _placed(key[0]) | {"sid": key[1]} | change, key not in before.served)
    for (node, name), policy in _new(before.policies, now.policies):
        said = {one.name: getattr(policy, one.name) for one in fields(policy)}
        yield Event("policy", {"node": node, "policy": name} | said, (node, name) not in before.policies)
    yield from _lines("routing", before.lacks, now.lacks)
    yield from _lines("drift", before.drift, now.drift)


def _routes(place: str, before: frozenset[Route] | None, now: frozenset[Route]) -> Iterator[Event]:
    was = before or frozenset()
    for change, some in (("removed", was - now), ("added", now - was)):
        for route in sorted(some):
            told: dict[str, Value] = {"change": change, "how": route.how, "table": route.table}
            what: dict[str, Value] = {"prefix": route.prefix, "protocol": route.protocol}
            if route.behavior:
                what = {"sid": route.prefix, "behavior": route.behavior, "protocol": route.protocol}
            yield Event("sid" if route.behavior else "route", _placed(place) | what | told, before is None)


def _lines(
    kind: str, before: Mapping[str, frozenset[str] | None], now: Mapping[str, frozenset[str] | None]
) -> Iterator[Event]:
    """Lines that are new, and that are gone; nothing where it isn't known."""
    for place, lines in now.items():
        was, first = before.get(place) or frozenset(), place not in before
        if first and lines is not None and not lines:
            yield Event(kind, _placed(place) | {"change": "none", "what": ""}, first)
        for change, some in (("gone", was - lines), ("new", lines - was)) if lines is not None else ():
            for line in sorted(some):
                yield Event(kind, _placed(place) | {"change": change, "what": line}, first)


def _trouble(before: Known, now: Known) -> Iterator[Event]:
    for what, why in _new(before.trouble, now.trouble):
        yield Event("unknown", {"what": what, "why": why})
    for what in before.trouble.keys() - now.trouble.keys():
        yield Event("unknown", {"what": what, "why": ""})


def _new(before: Mapping[Key, Thing], now: Mapping[Key, Thing]) -> Iterator[tuple[Key, Thing]]:
    return ((key, value) for key, value in now.items() if before.get(key) != value)


def _placed(text: str) -> dict[str, Value]:
    """A point or place by its parts: `r1/service:eth1`."""
    owner, colon, nic = text.partition(":")
    node, slash, netns = owner.partition("/")
    return {"node": node, **({"netns": netns} if slash else {}), **({"nic": nic} if colon else {})}


def of_node(told: Iterable[Event], node: str) -> Iterator[Event]:
    """Those of one node and of the whole lab; all where no node is named."""
    return (one for one in told if not node or one.node in ("", node))
