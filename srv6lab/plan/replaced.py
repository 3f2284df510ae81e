"""What a node has no longer, once something of its routing is taken away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srv6lab.evidence.packets import Point
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
    """A node whose NICs in `down` are down: Linux takes away what goes by them. No adjacency of IS-IS or OSPF is over
    those, nor over NICs that are `silent`, whose other end is down; and FRR takes its static routes away there."""
    routing = node.routing
    if routing and routing.isis:
        nics = tuple(one for one in routing.isis.nics if one.nic not in {*down, *silent})
        routing = replace(routing, isis=replace(routing.isis, nics=nics))
    if routing and routing.ospf:
        routing = replace(routing, ospf=tuple(one.without({*down, *silent}) for one in routing.ospf))
    return replace(
        node,
        routing=routing,
        routes=tuple(
            one for one in node.routes if one.nic not in down and not (one.frr and one.nic in silent)
        ),
        local_sids=tuple(one for one in node.local_sids if one.nic not in down),
        steering=tuple(left for one in node.steering if (left := _left(one, down))),
        frames=tuple(one for one in node.frames if one.nic not in down),
    )


def without_neighbors(node: PlannedNode, down: Collection[Point]) -> PlannedNode:
    """A node without the adjacencies of IS-IS and OSPF with NICs that are down, of which a LAN's carrier says nothing."""
    routing = node.routing
    if routing is None:
        return node
    ospf = tuple(one.without_neighbors(down) for one in routing.ospf)
    if routing.isis is None:
        return replace(node, routing=replace(routing, ospf=ospf))
    nics = tuple(
        replace(one, neighbors=tuple(it for it in one.neighbors if Point(it.node, it.nic) not in down))
        for one in routing.isis.nics
    )
    return replace(node, routing=replace(routing, isis=replace(routing.isis, nics=nics), ospf=ospf))


def without_adjacencies(node: PlannedNode, nics: Collection[str]) -> PlannedNode:
    """A node whose routing protocols know of no neighbor on some of its NICs, whose prefixes they tell all the same."""
    routing = node.routing
    if routing and routing.isis:
        left = tuple(replace(one, neighbors=()) if one.nic in nics else one for one in routing.isis.nics)
        routing = replace(routing, isis=replace(routing.isis, nics=left))
    if routing and routing.ospf:
        routing = replace(routing, ospf=tuple(one.without(nics) for one in routing.ospf))
    if routing and routing.bfd:
        routing = replace(routing, bfd=tuple(one for one in routing.bfd if one.nic not in nics))
    return replace(node, routing=routing)


def _left(policy: SteeredPrefix, down: Collection[str]) -> SteeredPrefix | None:
    """What is left of a policy: of several segment lists those that go by other NICs."""
    if not policy.lists:
        return policy if policy.nic not in down else None
    lists = tuple(one for one in policy.lists if one.nic not in down)
    return replace(policy, lists=lists, segments=lists[0].segments, nic=lists[0].nic) if lists else None
