"""Shortest paths over the links of an SR database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from .graph import nearest_first
from .sr_db import Link

Cost = Callable[[Link], int]
Distances = Mapping[str, int]


def igp(link: Link) -> int:
    """What the nodes on the way go by."""
    return link.igp_metric


def distances(links: Iterable[Link], source: str, cost: Cost = igp) -> Distances:
    """How far every node is that can be reached from `source`. A cost is at least 1."""
    out: dict[str, list[Link]] = {}
    for link in links:
        out.setdefault(link.node, []).append(link)

    def moves(far: int, node: str) -> Iterator[tuple[int, str]]:
        return ((far + cost(link), link.neighbor) for link in out.get(node, ()))

    return {node: far for far, node in nearest_first(0, source, moves)}


class Forest:
    """Which links lie on a shortest path from one node to another, each tree grown when it is asked for."""

    def __init__(self, links: Iterable[Link], cost: Cost = igp) -> None:
        self.links = tuple(links)
        self.cost = cost
        self._from: dict[str, Distances] = {}

    def distances(self, source: str) -> Distances:
        if source not in self._from:
            self._from[source] = distances(self.links, source, self.cost)
        return self._from[source]

    def between(self, source: str, target: str) -> frozenset[Link]:
        """Every link of every shortest path, none if there is no path or it has no length."""
        far = self.distances(source)
        if target not in far:
            return frozenset()
        return frozenset(link for link in self.links if self._joins(link, far, target))

    def _joins(self, link: Link, far: Distances, target: str) -> bool:
        rest = self.distances(link.neighbor).get(target)
        return (
            link.node in far and rest is not None and far[link.node] + self.cost(link) + rest == far[target]
        )
