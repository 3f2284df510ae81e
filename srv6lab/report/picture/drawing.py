"""The one place that knows igraph: coordinates for graphs that are too large to be laid out by looking at every way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srv6lab.errors import MachineError

XY = tuple[float, float]


def _graph(vertices: int, edges: Sequence[tuple[int, int]]) -> Any:
    try:
        from igraph import Graph
    except ImportError as error:
        what = f"this lab is so large that igraph has to lay it out, and that can't be imported: {error}"
        raise MachineError(what, "scripts/setup lab, or: .venv/bin/python -m pip install igraph") from None
    return Graph(n=vertices, edges=list(edges))


def by_tiers(vertices: int, edges: Sequence[tuple[int, int]], tiers: Sequence[int]) -> list[float]:
    """Where each vertex stands in its tier, in steps of one, so that few lines cross (Sugiyama's method)."""
    found = _graph(vertices, edges).layout_sugiyama(layers=list(tiers), maxiter=50)
    return [round(x, 3) for x, _ in found.coords[:vertices]]


def by_distances(vertices: int, edges: Sequence[tuple[int, int]]) -> list[XY]:
    """Places as far from each other as the graph's ways are long (Kamada and Kawai's method), from a circle on."""
    graph = _graph(vertices, edges)
    found = graph.layout_kamada_kawai(seed=graph.layout_circle(), maxiter=50 * vertices)
    return [(round(x, 3), round(y, 3)) for x, y in found.coords]
