"""How far other nodes are by IS-IS, and by which links: Dijkstra, with all ways that are equally short."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from srv6lab.evidence.packets import Point
from srv6lab.plan.converged.values import Learned
from srv6lab.plan.nodes import Nic, Plan, PlannedNode, PlannedRoute
from srv6lab.srv6.policy.graph import nearest_first
from srv6lab.topology.scalars import Network


class Far(dict[str, dict[str, int]]):
    """From each node how far each other is that IS-IS leads to, the nearest first; found out when it is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._nodes = {node.name: node for node in plan.nodes}

    def __missing__(self, source: str) -> dict[str, int]:
        def moves(far: int, name: str) -> Iterator[tuple[int, str]]:
            return ((far + metric, nic.peer.node) for nic, metric in isis_nics(self._nodes[name]))

        self[source] = {name: far for far, name in nearest_first(0, source, moves)}
        return self[source]


def ways_to(
    node: PlannedNode, far: Mapping[str, Mapping[str, int]], ends: Mapping[Point, Nic], to: str
) -> tuple[tuple[Nic, Nic], ...]:
    """The first link of each shortest way to another node: its near and its far end. None where none leads there."""
    whole = far[node.name].get(to)
    return tuple(
        (nic, ends[nic.peer])
        for nic, metric in isis_nics(node)
        if whole is not None and far[nic.peer.node].get(to, whole) + metric == whole
    )


def isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    if node.routing and node.routing.isis:
        metrics = {nic.nic: nic.metric for nic in node.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in node.nics if nic.name in metrics)


def learned(prefix: Network, ways: Iterable[tuple[Nic, Nic]]) -> Learned:
    return prefix, tuple(
        PlannedRoute(prefix, (there.of(prefix.version) or there.address).ip, near.name)
        for near, there in sorted(set(ways), key=lambda way: way[0].point)
    )
