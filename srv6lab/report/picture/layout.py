"""Where everything of a lab stands in its picture: nodes as cards, NICs at their edges, links between them, services.

A lab of a few dozen nodes is drawn from left to right as its first probe goes; a larger one in tiers above its hosts, or,
where it has none, by the distances of its nodes. The same plan gives the same numbers on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping

from srv6lab.plan.nodes import Plan

from .cards import CHIP, PAD, Card, CardLine, card, chip, small
from .grid import gridded
from .network import network
from .paths import XY
from .placed import Layout, PlacedEnd, PlacedLink, PlacedNode, PlacedService, Side
from .wiring import Drawn, rounded, wired

__all__ = [
    "CardLine", "Layout", "PlacedEnd", "PlacedLink", "PlacedNode", "PlacedService", "Side", "layout",
]  # fmt: skip
_MOST_ROWS = 9.0  # beyond them a lab is drawn as a fabric


def layout(plan: Plan) -> Layout:
    found = network(plan)
    if not small(plan):
        grid = gridded(found)
        if max(grid.rows.values(), default=0.0) < _MOST_ROWS:
            cards = {index: card(node, small=False) for index, node in enumerate(plan.nodes)}
            return _layout(plan, cards, wired(plan, found, grid, cards), few=True)
    from .fabric import fabric  # igraph stands behind it

    cards = {index: card(node, small=small(plan)) for index, node in enumerate(plan.nodes)}
    return _layout(plan, cards, fabric(plan, found, cards), few=False)


def _layout(plan: Plan, cards: Mapping[int, Card], drawn: Drawn, *, few: bool) -> Layout:
    nodes = tuple(
        PlacedNode(
            node.name,
            node.role,
            *rounded(drawn.centres[index]),
            *rounded(drawn.sizes[index]),
            cards[index].lines,
        )
        for index, node in enumerate(plan.nodes)
    )
    services = tuple(
        one
        for index, node in enumerate(plan.nodes)
        if not small(plan)
        for one in _services(plan, index, drawn.sizes[index], drawn.centres[index])
    )
    width, height = drawn.size
    return Layout(round(width, 1), round(height, 1), not few, nodes, drawn.links, services)


def _services(plan: Plan, index: int, size: XY, centre: XY) -> list[PlacedService]:
    """The chips at the bottom of a card, each with its NICs at its upper edge."""
    node, found = plan.nodes[index], []
    width = size[0] - 2 * PAD
    first = centre[1] + size[1] / 2 - PAD / 2 - CHIP * len(node.services)
    for number, service in enumerate(node.services):
        x, y = centre[0], first + CHIP * (number + 0.5)
        ends = []
        for turn, port in enumerate(service.ports, 1):
            at = (x - width / 2 + width * turn / (len(service.ports) + 1), y - CHIP / 2)
            path = "M{:.1f},{:.1f}L{:.1f},{:.1f}".format(*at, *centre)
            ends += [PlacedEnd(nic.point, *rounded(at), "top", path) for nic in (port.outside, port.inside)]
        chip_size = (width, CHIP - 3)
        found.append(
            PlacedService(
                service.name, node.name, chip(service), *rounded((x, y)), *rounded(chip_size), tuple(ends)
            )
        )
    return found
