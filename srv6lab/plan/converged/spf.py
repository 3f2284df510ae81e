"""How far other nodes are by a link-state protocol, and by which links: Dijkstra, with all ways that are equally short."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import TypeVar

from srv6lab.evidence.packets import Point
from srv6lab.plan.converged.rib import RibRoute, Way
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.srv6.policy.graph import nearest_first
from srv6lab.topology.scalars import Network

# The NICs over which a node has adjacencies of a protocol, each with what it costs to leave by it.
Adjacencies = Callable[[PlannedNode], Iterable[tuple[Nic, int]]]
T = TypeVar("T", bound=Hashable)
Ways = frozenset[tuple[Nic, Nic]]  # the first links, each with its near and its far end
Reached = dict[T, tuple[int, Ways]]


class Spf:
    """The shortest paths of one protocol, found out when they are asked for. No path leads through a node that is
    overloaded; it may begin and end there."""

    def __init__(self, plan: Plan, adjacencies: Adjacencies, overloaded: Collection[str] = ()) -> None:
        self._overloaded = overloaded
        self.nodes = {node.name: node for node in plan.nodes}
        nics = {node.name: tuple(one for one in adjacencies(node) if not one[0].cut) for node in plan.nodes}
        ends = {nic.point: nic for every in nics.values() for nic, _ in every}
        self._hops = {name: tuple(_hops(every, ends)) for name, every in nics.items()}
        self._far: dict[str, dict[str, int]] = {}
        self.ways = cache(self._ways)

    def far(self, source: str) -> dict[str, int]:
        """How far each node is that the protocol leads to, itself among them, the nearest first."""
        if source not in self._far:

            def moves(far: int, name: str) -> Iterator[tuple[int, str]]:
                if name == source or name not in self._overloaded:
                    yield from ((far + metric, there.point.node) for _, metric, there in self._hops[name])

            self._far[source] = {name: far for far, name in nearest_first(0, source, moves)}
        return self._far[source]

    def _ways(self, source: str, to: str) -> Ways:
        """The first link of each shortest way to another node: its near and its far end. None where none leads there."""
        whole = self.far(source).get(to)
        return frozenset(
            (near, there)
            for near, metric, there in self._hops[source]
            if whole is not None and self._behind(there.point.node, to, whole) + metric == whole
        )

    def reached(self, source: str, announced: Callable[[PlannedNode], Iterable[tuple[T, int]]]) -> Reached[T]:
        """What others announce, at which least cost it is reached, and by which ways."""
        costs: dict[T, dict[str, int]] = {}
        for name, distance in self.far(source).items():
            for what, metric in announced(self.nodes[name]) if name != source else ():
                of_nodes = costs.setdefault(what, {})
                of_nodes[name] = min(distance + metric, of_nodes.get(name, distance + metric))
        found = {}
        for what, of_nodes in costs.items():
            least = min(of_nodes.values())
            first, *others = (self.ways(source, name) for name, cost in of_nodes.items() if cost == least)
            found[what] = least, first.union(*others) if others else first
        return found

    def _behind(self, neighbor: str, to: str, nowhere: int) -> int:
        """How far it is from a neighbor on."""
        if neighbor in self._overloaded and neighbor != to:
            return nowhere
        return self.far(neighbor).get(to, nowhere)


def _hops(nics: Iterable[tuple[Nic, int]], ends: Mapping[Point, Nic]) -> Iterator[tuple[Nic, int, Nic]]:
    """The links to neighbors: the near end, what it costs, the far end. A bridge has several of these."""
    for nic, metric in nics:
        yield from ((nic, metric, ends[point]) for point in nic.peers if point in ends)


def rib_route(prefix: Network, protocol: str, cost: int, ways: Ways) -> RibRoute:
    """A route over the far ends of these links."""
    return RibRoute(prefix, protocol, _over(ways, prefix.version), cost)


@lru_cache(maxsize=4096)  # all prefixes of a node are reached by the same ways
def _over(ways: Ways, version: int) -> tuple[Way, ...]:
    ordered = sorted(ways, key=lambda way: (way[0].point, way[1].point))
    return tuple(((there.of(version) or there.address).ip, near.name) for near, there in ordered)
