"""What a node has no longer, once something of its routing is taken away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srv6lab.plan.nodes import PlannedNode, SteeredPrefix
from srv6lab.topology.scalars import Network


def without_prefix(node: PlannedNode, prefix: Network, table: int | None = None) -> PlannedNode:
    """A node without all that Day0 lays for a prefix: routes, and in the main table SIDs and what is steered."""
    return replace(
        node,
        routes=tuple(one for one in node.routes if (one.prefix, one.table) != (prefix, table)),
        local_sids=tuple(one for one in node.local_sids if table or one.prefix != prefix),
        steering=tuple(one for one in node.steering if (one.prefix, one.table) != (prefix, table)),
    )


def without_nics(node: PlannedNode, down: Collection[str], silent: Collection[str]) -> PlannedNode:
    """A node whose NICs in `down` are down: Linux takes away what goes by them. No adjacency of IS-IS is over those, nor
    over NICs that are `silent`, whose other end is down; and FRR takes its static routes away there."""
    node = without_adjacencies(node, {*down, *silent})
    return replace(
        node,
        routes=tuple(
            one for one in node.routes if one.nic not in down and not (one.frr and one.nic in silent)
        ),
        local_sids=tuple(one for one in node.local_sids if one.nic not in down),
        steering=tuple(left for one in node.steering if (left := _left(one, down))),
        frames=tuple(one for one in node.frames if one.nic not in down),
    )


def without_adjacencies(node: PlannedNode, nics: Collection[str]) -> PlannedNode:
    """A node whose routing protocols know of no neighbor on some of its NICs."""
    routing = node.routing
    if routing and routing.isis:
        left = tuple(one for one in routing.isis.nics if one.nic not in nics)
        routing = replace(routing, isis=replace(routing.isis, nics=left))
    return replace(node, routing=routing)


def _left(policy: SteeredPrefix, down: Collection[str]) -> SteeredPrefix | None:
    """What is left of a policy: of several segment lists those that go by other NICs."""
    if not policy.lists:
        return policy if policy.nic not in down else None
    lists = tuple(one for one in policy.lists if one.nic not in down)
    return replace(policy, lists=lists, segments=lists[0].segments, nic=lists[0].nic) if lists else None
