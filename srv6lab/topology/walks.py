"""Walks: an exercise's packets link by link, each said once for both ends of the wire.

    walk:
      ping:
        there:
          - hosta > r1: 10.0.0.1 → 10.0.1.1 hl 64 icmp
          - r1 > r2: 2001:12::1 → fc00:3::a hl 63 [*fc00:3::a] | same hl 63

A walk is only another way to write `packets`: it becomes those before anything else looks at the file, each value at
the place where it stands in the walk. What isn't in a probe's walk may not happen to it, unless `elsewhere: any` is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address, ip_network
from itertools import combinations
from typing import Any

from srv6lab.errors import Problem
from srv6lab.suggest import or_all
from srv6lab.topology.notation import SAME, Names, NotationError, Packet, parse
from srv6lab.topology.places import LINK, Point
from srv6lab.topology.scalars import several
from srv6lab.topology.yaml.edit import Problems, child, children
from srv6lab.topology.yaml.source import Source
from srv6lab.topology.yaml.tree import Mark, Node

LEGS = ("there", "back")
LOST = re.compile("lost at (.*)")
_SHAPE = "write `r1 > r2`, `r1:eth2 > r2:eth1`, or of one end `from r1:eth2` or `into r2`"


@dataclass(frozen=True, slots=True)
class _Link:
    """A wire between two NICs, or a service's port: the end of that in its node is never traced."""

    ends: tuple[Point, Point]
    traced: tuple[bool, bool] = (True, True)


def expanded(source: Source) -> tuple[Source, list[Problem]]:
    """The file with `packets` for each of its walks, and what is wrong in them."""
    problems = Problems(source)
    links, names, done = _Links(source.data), _names(source.data), set[int]()
    for _, exercise in children(child(source.root, "exercises")):
        expect = child(exercise, "expect")
        walk = child(expect, "walk") if expect else None
        if expect and walk and id(expect) not in done:
            done.add(id(expect))  # an alias may stand for it elsewhere
            packets = [
                one for probe, legs in children(walk) for one in _packets(probe, legs, links, names, problems)
            ]
            _add(expect, walk.mark, packets)
    return replace(source, data=source.root.data), problems


def _add(expect: Node, mark: Mark, packets: list[Node]) -> None:
    listed = child(expect, "packets") or _collection(mark, [])
    if isinstance(listed.children, list):
        every = [*listed.children, *packets]
        _put(expect, "packets", Node(listed.mark, [one.data for one in every], every))


def _collection(mark: Mark, data: Any) -> Node:
    return Node(mark, data, {} if isinstance(data, dict) else [])


def _put(node: Node, key: str, value: Node, mark: Mark | None = None) -> None:
    node.data[key], node.children[key], node.keys[key] = value.data, value, mark or value.mark


# --- a walk's lines


def _packets(probe: str, legs: Node, links: _Links, names: Names, problems: Problems) -> Iterator[Node]:
    for leg, lines in children(legs):
        before: Packet | None = None
        broken = False  # nothing is known of what is the same as in a line that can't be read
        end = ""
        for _, line in children(lines) if leg in LEGS else ():
            for way, text in children(line):
                if way not in line.keys or not isinstance(text.data, str):
                    continue  # the schema says what a line is
                if lost := LOST.match(way):
                    _check_loss(lost[1], end, links, line.keys[way], problems)
                    continue
                ends = _ends(way, links, line.keys[way], problems)
                end = str(ends[-1][0].place) if ends and ends[-1][1] == "in" else ""
                try:
                    before = packet = parse(text.data, before, names)
                except NotationError as error:
                    if not (broken and text.data[error.at :].startswith(SAME)):
                        problems.say(problems.source.within(text, error.at), error.what, error.mend)
                    before, broken = None, True
                    continue
                broken = False
                yield from (
                    _entry(
                        probe, at, direction, packet, line.keys[way], partial(problems.source.within, text)
                    )
                    for at, direction in ends
                )


def _check_loss(place: str, end: str, links: _Links, mark: Mark, problems: Problems) -> None:
    """Packets are lost where the line before brings them; that they come no further, the walk says by its end."""
    places = dict.fromkeys(str(point.place) for one in links for point in one.ends)
    if place not in places:
        problems.say(mark, f"no link leads to {place}, so nothing is lost there", or_all(place, places))
    elif end and end != place:
        problems.say(
            mark, f"the line before leads to {end}, so nothing is lost at {place}", f"write `lost at {end}`"
        )


def _entry(
    probe: str, at: Point, direction: str, packet: Packet, key: Mark, place: Callable[[int], Mark]
) -> Node:
    """A `packets` entry: its values stand where the walk says them."""
    entry = _collection(key, {})
    for name, value in (("at", str(at)), ("direction", direction), ("probe", probe)):
        _put(entry, name, Node(key, value))
    headers = (entry, *(_collection(place(0), {}) for _ in packet.headers[1:]))
    for node, fields in zip(headers, packet.headers, strict=True):
        for name, said in fields.items():
            _put(node, name, Node(place(said.at), said.value))
    for name, node in zip(packet.names, headers[1:], strict=True):
        _put(entry, name, node)
    for name, said in packet.whole.items():
        _put(entry, name, Node(place(said.at), said.value))
    return entry


def _ends(way: str, links: _Links, mark: Mark, problems: Problems) -> list[tuple[Point, str]]:
    """The traced ends of the link that a line names, each with its direction."""
    found = LINK.match(way)
    if not found:
        problems.say(mark, f"`{way[:60]}` names no link", _SHAPE)
        return []
    sender, taker = found[1] or found[3], found[2] or found[4]
    fitting = [
        one for one in (*links, *map(_turned, links)) if _is(one.ends[0], sender) and _is(one.ends[1], taker)
    ]
    if len(fitting) == 1:
        (link,) = fitting
        said = zip(link.ends, ("out", "in"), (sender, taker), link.traced, strict=True)
        return [(point, direction) for point, direction, name, traced in said if name and traced]
    if not fitting and not links.whole:
        return []  # it may be one that can't be read, which is told
    if not fitting:
        problems.say(
            mark,
            f"no link leads from {sender or 'any node'} to {taker or 'any node'}",
            _neighbors(sender, links),
        )
    else:
        choice = " or ".join(f"`{one.ends[0]} > {one.ends[1]}`" for one in fitting[:4])
        problems.say(mark, f"`{way}` may be {len(fitting)} links", f"write {choice}")
    return []


def _turned(link: _Link) -> _Link:
    return _Link((link.ends[1], link.ends[0]), (link.traced[1], link.traced[0]))


def _is(point: Point, name: str | None) -> bool:
    return name in (None, str(point), str(point.place))


def _neighbors(sender: str | None, links: _Links) -> str:
    reached = {str(one.ends[1].place) for one in (*links, *map(_turned, links)) if _is(one.ends[0], sender)}
    return f"{sender} has links to {', '.join(sorted(reached))}" if sender and reached else _SHAPE


# --- the links of a file that nobody has checked yet


class _Links(list[_Link]):
    """Those that can be read; `whole` says whether that is all of them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(_links(data))
        nodes = data.get("nodes")
        known = {*nodes} if isinstance(nodes, dict) else set[str]()
        ends = [[_point(one) for one in _list(link.get("endpoints"))] for link in _dicts(data.get("links"))]
        self.whole = all(len(one) > 1 and all(end and end.node in known for end in one) for one in ends)


def _links(data: Mapping[str, Any]) -> Iterator[_Link]:
    for link in _dicts(data.get("links")):
        ends = [_point(one) for one in _list(link.get("endpoints"))]
        known = [end for end in ends if end]
        if len(known) == len(ends):
            yield from (_Link(pair) for pair in combinations(known, 2))
    services = data.get("services")
    for service in _dicts([*services.values()] if isinstance(services, dict) else None):
        for port in _dicts(service.get("ports")):
            names = (service.get("node"), port.get("outside"), port.get("inside"), service.get("netns"))
            if all(isinstance(name, str) for name in names):
                node, outside, inside, netns = map(str, names)
                yield _Link((Point(node, outside), Point(node, inside, netns)), (False, True))


def _names(data: Mapping[str, Any]) -> Names:
    """`r2.End` for the SIDs that r2 has with that behavior, `@r2` for the addresses of r2."""
    found: dict[str, list[str]] = {}
    for sid in _dicts(data.get("local_sids")):
        _name(found, f"{sid.get('node')}.{sid.get('behavior')}", sid.get("sid"))
    for link in _dicts(data.get("links")):
        for index, end in enumerate(_list(link.get("endpoints"))):
            if point := _point(end):
                said = end.get("address") if isinstance(end, dict) else None
                for address in _list(
                    several(said or [_nth(one, index) for one in _list(several(link.get("prefix")))])
                ):
                    _name(found, f"@{point.node}", address)
    nodes = data.get("nodes")
    for name, node in nodes.items() if isinstance(nodes, dict) else ():
        for one in _list(several(node.get("loopback"))) if isinstance(node, dict) else ():
            _name(found, f"@{name}", one.partition("/")[0] if isinstance(one, str) else None)
    return found


def _name(found: dict[str, list[str]], name: str, address: Any) -> None:
    with suppress(ValueError):
        if isinstance(address, str):
            found.setdefault(name, []).append(str(ip_address(address)))


def _nth(prefix: Any, index: int) -> str | None:
    """The address that an end of a link has if it isn't said: the first or the second of its prefix."""
    with suppress(ValueError, IndexError):
        return str(ip_network(prefix)[index + 1]) if isinstance(prefix, str) else None
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    yield from (one for one in _list(value) if isinstance(one, dict))


def _point(endpoint: Any) -> Point | None:
    text = endpoint.get("at") if isinstance(endpoint, dict) else endpoint
    try:
        return Point.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
