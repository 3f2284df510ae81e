"""A large lab as a picture: tiers above its hosts; else by the distances of its nodes. Lines are straight. What hangs on a node by one link stands below it, one under the other."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from math import atan2, cos, hypot, sin

from srv6lab.plan.nodes import Plan

from .cards import Card
from .drawing import by_distances, by_tiers
from .network import Network, links
from .paths import XY, Piece, halves, path
from .placed import PlacedEnd, PlacedLink, Side
from .wiring import MARGIN, Drawn, placed_link, rounded, words

_HUB = 10.0
_BESIDE, _TIERS, _BELOW, _TRUNK = 26.0, 150.0, 10.0, 14.0
_ROUND = 0.05  # by how much the two axes of what is round differ, at most
_AMONG_THEMSELVES = 0.2  # of the lines: with more of them within tiers, tiers show nothing


def fabric(plan: Plan, network: Network, cards: Mapping[int, Card]) -> Drawn:
    everything = range(len(network.names))
    sizes = {
        one: (cards[one].width, cards[one].height) if one in cards else (_HUB, _HUB) for one in everything
    }
    hanging = _hanging(network)
    inner = [one for one in everything if one not in hanging]
    tiers = _tiers(network, inner)
    at = _by_tiers(network, inner, tiers, sizes) if tiers else _by_distances(network, inner, sizes, hanging)
    low = {one: at[one][1] + sizes[one][1] / 2 for one in hanging.values()}
    for one, parent in hanging.items():
        left = at[parent][0] - sizes[parent][0] / 2 + _TRUNK
        at[one] = (left + sizes[one][0] / 2, low[parent] + _BELOW + sizes[one][1] / 2)
        low[parent] += _BELOW + sizes[one][1]
    left = min((x - sizes[one][0] / 2 for one, (x, _) in at.items()), default=0) - MARGIN
    top = min((y - sizes[one][1] / 2 for one, (_, y) in at.items()), default=0) - MARGIN
    at = {one: (x - left, y - top) for one, (x, y) in at.items()}
    right = max((x + sizes[one][0] / 2 for one, (x, _) in at.items()), default=0) + MARGIN
    bottom = max((y + sizes[one][1] / 2 for one, (_, y) in at.items()), default=0) + MARGIN
    return Drawn(at, sizes, _links(plan, network, at, sizes, hanging), (right, bottom))


def _hanging(network: Network) -> dict[int, int]:
    """Hosts that have one link, each with the node at its other end."""
    return {
        one: network.around[one][0][0]
        for one in sorted(network.leaves)
        if len(network.around[one]) == 1 and network.around[one][0][0] not in network.leaves | network.hubs
    }


def _tiers(network: Network, inner: Sequence[int]) -> dict[int, int]:
    """How far each vertex is above the hosts, counted from the highest tier; nothing where that makes no tiers."""
    found = dict.fromkeys(network.leaves, 0)
    reached = list(network.leaves)
    for one in reached:
        for other, _ in network.around[one]:
            if other not in found:
                found[other] = found[one] + 1
                reached.append(other)
    if not found or any(one not in found for one in inner):
        return {}
    lines = [edge for edge in network.edges if edge.a in inner and edge.b in inner]
    within = sum(found[edge.a] == found[edge.b] for edge in lines)
    if within > _AMONG_THEMSELVES * len(lines):
        return {}
    numbers = {
        tier: number for number, tier in enumerate(sorted({found[one] for one in inner}, reverse=True))
    }
    return {one: numbers[found[one]] for one in inner}


def _by_tiers(
    network: Network, inner: Sequence[int], tiers: Mapping[int, int], sizes: Mapping[int, XY]
) -> dict[int, XY]:
    numbers = {one: number for number, one in enumerate(inner)}
    edges = [(numbers[e.a], numbers[e.b]) for e in network.edges if e.a in numbers and e.b in numbers]
    across = by_tiers(len(inner), edges, [tiers[one] for one in inner])
    orders = [_rows(inner, tiers, lambda one: one), _rows(inner, tiers, lambda one: across[numbers[one]])]
    lines = [(edge.a, edge.b) for edge in network.edges if edge.a in numbers and edge.b in numbers]
    rows = min(orders, key=lambda rows: _crossings(rows, lines))
    longest = max(map(len, rows.values()))
    step = max(x for x, _ in sizes.values()) + _TRUNK + _BESIDE
    high = max(_TIERS + max(sizes[one][1] for one in inner), longest * step / 14)
    return {
        one: ((number + 0.5) * longest / len(row) * step, tier * high)
        for tier, row in rows.items()
        for number, one in enumerate(row)
    }


def _rows(
    inner: Sequence[int], tiers: Mapping[int, int], key: Callable[[int], float]
) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = {}
    for one in sorted(inner, key=lambda one: (key(one), one)):
        rows.setdefault(tiers[one], []).append(one)
    return rows


def _crossings(rows: Mapping[int, Sequence[int]], lines: Sequence[tuple[int, int]]) -> int:
    """How many lines between two tiers cross each other: the pairs that are in another order at their other ends."""
    at = {one: (tier, number) for tier, row in rows.items() for number, one in enumerate(row)}
    between: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for pair in lines:
        (high, left), (low, right) = sorted(at[one] for one in pair)
        between.setdefault((high, low), []).append((left, right))
    crossed = 0
    for ends in between.values():
        taken: list[int] = []
        for _, right in sorted(ends):
            place = bisect_right(taken, right)
            crossed += len(taken) - place
            taken.insert(place, right)
    return crossed


def _by_distances(
    network: Network, inner: Sequence[int], sizes: Mapping[int, XY], hanging: Mapping[int, int]
) -> dict[int, XY]:
    numbers = {one: number for number, one in enumerate(inner)}
    edges = [(numbers[e.a], numbers[e.b]) for e in network.edges if e.a in numbers and e.b in numbers]
    places = _turned(by_distances(len(inner), edges))
    most = max(Counter(hanging.values()).values(), default=0)
    width = max(x for x, _ in sizes.values()) + _BESIDE
    height = max(y for _, y in sizes.values()) + _BESIDE
    height += most * (height + _BELOW)
    # So far apart that no two cards meet: the ellipse around each is as large as its card.
    apart = sorted(hypot((a - c) / width, (b - d) / height) for (a, b), (c, d) in combinations(places, 2))
    scale = 1 / max(apart[len(inner) // 50], 1e-3) if apart else 1.0
    return {one: (places[numbers[one]][0] * scale, places[numbers[one]][1] * scale) for one in inner}


def _turned(places: Sequence[XY]) -> list[XY]:
    """The same picture, lying on its longer side, with the first vertex on the left and the second one not below its
    middle. One that is as long as it is wide is turned until the first vertex is the leftmost of its middle."""
    count = max(len(places), 1)
    x, y = sum(one for one, _ in places) / count, sum(one for _, one in places) / count
    around = [(a - x, b - y) for a, b in places]
    wide, high = sum(a * a for a, _ in around), sum(b * b for _, b in around)
    slant = sum(a * b for a, b in around)
    if hypot(wide - high, 2 * slant) > _ROUND * (wide + high):
        angle = atan2(2 * slant, wide - high) / 2
    else:
        angle = atan2(around[0][1], around[0][0]) if around else 0.0
    turned = [(a * cos(angle) + b * sin(angle), b * cos(angle) - a * sin(angle)) for a, b in around]
    across = -1 if turned and turned[0][0] > 0 else 1
    down = -1 if len(turned) > 1 and turned[1][1] > 0 else 1
    return [(a * across, b * down) for a, b in turned]


def _links(
    plan: Plan,
    network: Network,
    at: Mapping[int, XY],
    sizes: Mapping[int, XY],
    hanging: Mapping[int, int],
) -> tuple[PlacedLink, ...]:
    number_of = {node.name: index for index, node in enumerate(plan.nodes)}
    hub_of = {network.names[one]: one for one in network.hubs}
    among: Counter[frozenset[int]] = Counter()
    found = []
    said = words(links(plan))
    for name, nics in links(plan).items():
        places = [number_of[nic.point.node] for nic in nics]
        if len(nics) == 2:
            pair = frozenset(places)
            middle, starts = _cable(places[0], places[1], at, sizes, hanging, among[pair])
            among[pair] += 1
        else:
            middle = at[hub_of[name]]
            starts = [_spoke(at[one], middle, sizes[one]) for one in places]
        ends = [
            PlacedEnd(nic.point, *rounded(start), side, way)
            for nic, (start, side, way) in zip(nics, starts, strict=True)
        ]
        found.append(placed_link(name, middle, nics, said[name], ends))
    return tuple(found)


End = tuple[XY, Side, str]


def _cable(
    a: int, b: int, at: Mapping[int, XY], sizes: Mapping[int, XY], hanging: Mapping[int, int], turn: int
) -> tuple[XY, list[End]]:
    if hanging.get(a) == b:
        middle, ends = _cable(b, a, at, sizes, hanging, turn)
        return middle, ends[::-1]
    if hanging.get(b) == a:
        y, left = at[b][1], at[b][0] - sizes[b][0] / 2
        trunk = left - _TRUNK / 2
        start, corner, end = (trunk, at[a][1] + sizes[a][1] / 2), (trunk, y), (left, y)
        ways = path([Piece(start, corner)]), path([Piece(end, corner)])
        return corner, [(start, "bottom", ways[0]), (end, "left", ways[1])]
    shift = ((turn + 1) // 2) * (7.0 if turn % 2 else -7.0)
    (ax, ay), (bx, by) = at[a], at[b]
    long = hypot(bx - ax, by - ay) or 1.0
    dx, dy = -(by - ay) / long * shift, (bx - ax) / long * shift
    (start, side), (end, other) = (_edge(at[a], at[b], sizes[a]), _edge(at[b], at[a], sizes[b]))
    start, end = (start[0] + dx, start[1] + dy), (end[0] + dx, end[1] + dy)
    middle, one, two = halves([Piece(start, end)])
    return middle, [(start, side, one), (end, other, two)]


def _spoke(centre: XY, hub: XY, size: XY) -> End:
    start, side = _edge(centre, hub, size)
    return start, side, path([Piece(start, hub)])


def _edge(centre: XY, other: XY, size: XY) -> tuple[XY, Side]:
    """Where the line to another point leaves a card."""
    dx, dy = other[0] - centre[0], other[1] - centre[1]
    wide = abs(dx) * size[1] > abs(dy) * size[0]
    part = (size[0] / 2 / abs(dx)) if wide else (size[1] / 2 / abs(dy) if dy else 0.0)
    side: Side = ("right" if dx > 0 else "left") if wide else ("bottom" if dy > 0 else "top")
    return (centre[0] + dx * part, centre[1] + dy * part), side
