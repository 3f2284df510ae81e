"""The prefixes that IS-IS brings to a node."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from srv6lab.plan.converged.rib import Rib, RibRoute
from srv6lab.plan.converged.spf import Spf, rib_route
from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.topology.scalars import Network

OF_LOOPBACK = 10  # the metric of a NIC that nobody gives another


def of_isis(
    spf: Spf, node: PlannedNode, ribs: Mapping[str, Rib], withdrawn: Collection[str]
) -> Iterator[RibRoute]:
    """What the others announce, and what they hand on of other protocols by their routing tables `ribs`."""
    announced = partial(announced_by_isis, ribs=ribs, withdrawn=withdrawn)
    own = {prefix for prefix, _ in announced_by_isis(node)}
    for prefix, (cost, ways) in spf.reached(node.name, announced).items():
        if prefix not in own:
            yield rib_route(prefix, "isis", cost, ways)


def isis_nics(node: PlannedNode) -> Iterator[tuple[Nic, int]]:
    """The NICs that IS-IS runs on, each with its metric."""
    if node.routing and node.routing.isis:
        metrics = {nic.nic: nic.metric for nic in node.routing.isis.nics}
        yield from ((nic, metrics[nic.name]) for nic in node.nics if nic.name in metrics)


def announced_by_isis(
    node: PlannedNode, ribs: Mapping[str, Rib] | None = None, withdrawn: Collection[str] = ()
) -> Iterator[tuple[Network, int]]:
    """The prefixes that a node tells of in IS-IS, each with what it costs from there."""
    yield from ((one.network, OF_LOOPBACK) for one in node.loopbacks if one.version == 6)
    locator = node.routing.isis_locator if node.routing else None
    if locator and node.name not in withdrawn:
        yield locator.prefix, 0
    for nic, metric in isis_nics(node):
        yield from ((network, metric) for network in nic.networks() if _is_announced(network))
    if ribs and node.name in ribs and node.routing and node.routing.isis:
        handed_on = ribs[node.name].of(node.routing.isis.redistribute)
        yield from ((route.prefix, 0) for route in handed_on if _is_announced(route.prefix))


def _is_announced(network: Network) -> bool:
    return network.version == 6 and not network.is_link_local
