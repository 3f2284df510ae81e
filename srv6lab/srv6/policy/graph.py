"""Shortest paths by Dijkstra's algorithm, over whatever nodes and costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, TypeVar

Cost = TypeVar("Cost", bound=Any)  # costs can be compared, and so can nodes of one cost
Node = TypeVar("Node", bound=Any)


def nearest_first(
    nothing: Cost, source: Node, moves: Callable[[Cost, Node], Iterable[tuple[Cost, Node]]]
) -> Iterator[tuple[Cost, Node]]:
    """Every node that can be reached with the least that it costs to come there from the source, where it costs
    `nothing` to be. `moves` are the nodes behind one that was reached, each with the cost of the whole way."""
    waiting, done = [(nothing, source)], set()
    while waiting:
        cost, node = heappop(waiting)
        if node not in done:
            done.add(node)
            yield cost, node
            for move in moves(cost, node):
                heappush(waiting, move)
