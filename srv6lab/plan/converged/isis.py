"""The prefixes that IS-IS brings to a node."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.topology.scalars import Network


def isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    """The NICs that IS-IS runs on, each with its metric."""
    if node.routing and node.routing.isis:
        metrics = {nic.nic: nic.metric for nic in node.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in node.nics if nic.name in metrics)


def announced_by_isis(node: PlannedNode) -> Iterator[tuple[Network, int]]:
    """The prefixes that a node tells of in IS-IS, each with what it costs from there."""
    yield from ((one.network, 0) for one in node.loopbacks if one.version == 6)
    if node.routing and node.routing.locator:
        yield node.routing.locator, 0
    for nic, metric in isis_nics(node):
        yield from ((network, metric) for network in nic.networks() if _is_announced(network))


def _is_announced(network: Network) -> bool:
    return network.version == 6 and not network.is_link_local
