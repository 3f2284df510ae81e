"""A lab as a layout sees it: vertices, and edges between them. A bridge is a vertex, too: its hub."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from srv6lab.plan.nodes import Nic, Plan

CABLE, SPOKE = 2, 1  # lengths: over a bridge it is as far as over a cable


@dataclass(frozen=True, slots=True)
class Edge:
    """A cable between two nodes, or the part of a bridge between a node and the hub; vertices by their numbers."""

    link: str
    a: int
    b: int
    length: int


@dataclass(frozen=True)
class Network:
    """`names` are those of the nodes in the file's order, then those of the bridges; `leaves` the vertices that forward
    nothing; `ends` the two between which the first probe runs, None where there is none."""

    names: tuple[str, ...]
    hubs: frozenset[int]
    leaves: frozenset[int]
    edges: tuple[Edge, ...]
    ends: tuple[int, int] | None = None
    _cache: dict[int, dict[int, int]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def around(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """For each vertex its neighbors, each once, with their distance."""
        found: list[dict[int, int]] = [{} for _ in self.names]
        for edge in self.edges:
            if edge.a != edge.b:
                found[edge.a][edge.b] = found[edge.b][edge.a] = edge.length
        return tuple(tuple(one.items()) for one in found)

    def distances(self, start: int) -> dict[int, int]:
        """How far each vertex is from one, for those that it reaches."""
        if start not in self._cache:
            found: dict[int, int] = {}
            heap = [(0, start)]
            while heap:
                far, vertex = heapq.heappop(heap)
                if vertex not in found:
                    found[vertex] = far
                    for other, length in self.around[vertex]:
                        heapq.heappush(heap, (far + length, other))
            self._cache[start] = found
        return self._cache[start]

    def components(self) -> Iterator[tuple[int, ...]]:
        """The vertices that reach each other, those of the first probe first."""
        left = set(range(len(self.names)))
        starts = [*(self.ends or ()), *range(len(self.names))]
        for start in starts:
            if start in left:
                reached = self.distances(start)
                left -= set(reached)
                yield tuple(sorted(reached))


def links(plan: Plan) -> dict[str, list[Nic]]:
    """The NICs of each link, in the order of the nodes."""
    found: dict[str, list[Nic]] = {}
    for nic in plan.nics():
        found.setdefault(nic.link, []).append(nic)
    return found


def network(plan: Plan) -> Network:
    names = [node.name for node in plan.nodes]
    number = {name: index for index, name in enumerate(names)}
    edges, hubs = [], set()
    for link, nics in links(plan).items():
        places = [number[nic.point.node] for nic in nics]
        if len(places) == 2:
            edges.append(Edge(link, places[0], places[1], CABLE))
            continue
        hub = len(names)
        hubs.add(hub)
        names.append(link)
        edges += [Edge(link, place, hub, SPOKE) for place in places]
    leaves = frozenset(number[node.name] for node in plan.nodes if not node.forwards)
    return Network(tuple(names), frozenset(hubs), leaves, tuple(edges), _ends(plan, number))


def _ends(plan: Plan, number: dict[str, int]) -> tuple[int, int] | None:
    for exercise in plan.exercises:
        for probe in exercise.every_probe():
            to = plan.receiver(probe)
            if to in number and probe.source in number and probe.source != to:
                return number[probe.source], number[to]
    return None
