"""The prefixes that IS-IS brings to a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from srv6lab.plan.converged.spf import isis_nics, learned
from srv6lab.plan.converged.values import Learned, Ways
from srv6lab.plan.nodes import Plan, PlannedNode
from srv6lab.topology.scalars import Network


def of_isis(plan: Plan, node: PlannedNode, far: Mapping[str, int], ways: Ways) -> Iterator[Learned]:
    """Over all that announce a prefix at the least cost."""
    own = {prefix for prefix, _ in _announced(node)}
    costs: dict[Network, dict[str, int]] = {}
    for name, distance in far.items():
        for prefix, metric in _announced(plan.node(name)) if name != node.name else ():
            if prefix not in own:
                costs.setdefault(prefix, {})[name] = distance + metric
    for prefix, of_nodes in costs.items():
        nearest = [name for name, cost in of_nodes.items() if cost == min(of_nodes.values())]
        yield learned(prefix, (way for name in nearest for way in ways(name)))


def _announced(node: PlannedNode) -> Iterator[tuple[Network, int]]:
    """The prefixes that a node tells of in IS-IS, each with what it costs from there."""
    yield from ((one.network, 0) for one in node.loopbacks if one.version == 6)
    if node.routing and node.routing.locator:
        yield node.routing.locator, 0
    for nic, metric in isis_nics(node):
        yield from ((network, metric) for network in nic.networks() if _is_announced(network))


def _is_announced(network: Network) -> bool:
    return network.version == 6 and not network.is_link_local
