"""The solution of a dynamic candidate path (RFC 9256 section 5.2).

The links on the best of all allowed paths are found first, then the shortest segment list that keeps packets
on them: between two segments they go by IGP metrics, over all shortest paths alike, so each of these has to be
one of the best. Where it isn't, a SID that leads over one link helps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address
from operator import attrgetter

from .graph import nearest_first
from .identity import Address
from .paths import Dynamic
from .shortest import Forest
from .sr_db import Link, SrDb

_List = tuple[int, int, tuple[IPv6Address, ...]]  # how many SIDs, how many of single links, and which


@dataclass(frozen=True)
class Solution:
    """SIDs, the first visited first, what the path costs, and the links that packets may take over it."""

    sids: tuple[IPv6Address, ...]
    cost: int
    links: frozenset[Link]


@dataclass(frozen=True)
class NoSolution:
    """And why."""

    why: str


def allows(path: Dynamic, link: Link) -> bool:
    """Whether a link meets the constraints."""
    return (
        (not path.include_any or bool(path.include_any & link.affinities))
        and path.include_all <= link.affinities
        and not path.exclude_any & link.affinities
        and not path.exclude_srlgs & link.srlgs
    )


def solve(
    path: Dynamic, db: SrDb, headend: str, endpoint: Address, forest: Forest | None = None
) -> Solution | NoSolution:
    """The shortest segment list over which every packet takes one of the best allowed paths; among several,
    one with few SIDs of single links. `forest` holds the IGP's paths over the links of `db`, if it is known."""
    target = db.owner(endpoint)
    if target is None or endpoint.is_unspecified:
        return NoSolution(f"the endpoint {endpoint} is no node's")
    if target == headend:
        return NoSolution(f"the endpoint {endpoint} is the headend's own")
    best = Forest((link for link in db.links if allows(path, link)), attrgetter(path.metric.value))
    links = best.between(headend, target)
    if not links:
        return NoSolution(f"no path over allowed links leads to {endpoint}")
    found = _shortest_list(db, forest or Forest(db.links), links, headend, target)
    if found is None:
        return NoSolution(f"no segment list keeps packets on the best path to {endpoint}: a SID is missing")
    return Solution(found, best.distances(headend)[target], links)


def _shortest_list(
    db: SrDb, forest: Forest, links: frozenset[Link], headend: str, target: str
) -> tuple[IPv6Address, ...] | None:
    """The list with the fewest SIDs, then with the fewest of single links, then with the lowest."""

    def moves(so_far: _List, node: str) -> Iterator[tuple[_List, str]]:
        count, single, sids = so_far
        for sid, more, reached in _moves(db, forest, links, node):
            yield (count + 1, single + more, (*sids, sid)), reached

    nothing: _List = (0, 0, ())
    return next(
        (sids for (_, _, sids), node in nearest_first(nothing, headend, moves) if node == target), None
    )


def _moves(
    db: SrDb, forest: Forest, links: frozenset[Link], node: str
) -> Iterator[tuple[IPv6Address, int, str]]:
    """Each SID that may come next at a node: itself, whether it is a single link's, and where it leads to."""

    def keeps(other: str) -> bool:
        between = forest.between(node, other)
        return bool(between) and between <= links

    for other in sorted({link.neighbor for link in links}):
        if (known := db.node_sid(other)) and keeps(other):
            yield known.sid, 0, other
    for link in links:
        if (known := db.link_sid(link)) and (link.node == node or keeps(link.node)):
            yield known.sid, 1, link.neighbor
