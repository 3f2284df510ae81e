"""The order of what stands in each column, and how high: few lines cross, and ways run straight.

A line that passes a column takes a slot there as a vertex does. Heights are sums of squares made small: two ways between
the same places end up above and below their middle, as people draw them. All numbers are rounded to quarters of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise

from .network import Edge, Network

Apart = Callable[["Slot", "Slot"], float]
Slot = tuple[int, int]  # a vertex and -1; or for a line that passes by, the edge and its column

PLAIN, LONG, FIRST = (
    1.0,
    4.0,
    40.0,
)  # how much a line, one that passes columns, the only way of the first probe is level
_SWEEPS = 80
_MOST, _MOST_LOOKS = 26, 150  # slots whose order is tried out by looking at the result, and how often


@dataclass(frozen=True)
class Columned:
    """Slots in their columns, from above; the pieces of lines between columns next to each other, with their weights;
    and the pairs that a line within a column joins."""

    columns: tuple[tuple[Slot, ...], ...]
    pieces: tuple[tuple[Slot, Slot, float], ...]
    upright: tuple[tuple[Slot, Slot], ...]


def slot(vertex: int) -> Slot:
    return vertex, -1


def passing(edge: int, column: int) -> Slot:
    return edge, column


def columned(network: Network, at: Mapping[int, int]) -> Columned:
    """What stands in each column, in the file's order: first what has lines to other columns, then what hangs on it."""
    inside = [(number, edge) for number, edge in enumerate(network.edges) if edge.a in at]
    first = _way(network, at)
    pieces: list[tuple[Slot, Slot, float]] = []
    upright: list[tuple[Slot, Slot]] = []
    passers: list[Slot] = []
    for number, edge in inside:
        a, b = sorted((edge.a, edge.b), key=lambda one: at[one])
        if at[a] == at[b]:
            upright.append((slot(a), slot(b)))
            continue
        dummies = [passing(number, column) for column in range(at[a] + 1, at[b])]
        passers += dummies
        way = (a, b) in first or (b, a) in first
        weight = FIRST if way else LONG if dummies else PLAIN
        pieces += [(one, other, weight) for one, other in pairwise((slot(a), *dummies, slot(b)))]
    pieces = list(dict.fromkeys(pieces))  # two links between the same two weigh no more than one
    linked = {one for a, b, _ in pieces for one in (a, b)}
    vertices = sorted(at, key=lambda one: (slot(one) not in linked, one))
    slots: list[list[Slot]] = [[] for _ in range(max(at.values()) + 1)]
    for one in vertices:
        slots[at[one]].append(slot(one))
    for passer in passers:
        slots[passer[1]].append(passer)
    return Columned(tuple(map(tuple, slots)), tuple(pieces), tuple(upright))


def _way(network: Network, at: Mapping[int, int]) -> set[tuple[int, int]]:
    """The lines that all shortest ways between the two ends of the first probe share, without those of hosts."""
    if not network.ends or network.ends[0] not in at:
        return set()
    start, end = (network.distances(one) for one in network.ends)
    levels: dict[int, list[int]] = {}
    for one in at:
        if start[one] + end[one] == start[network.ends[1]]:
            levels.setdefault(start[one], []).append(one)
    way = [levels[far] for far in sorted(levels)]
    return {
        (a[0], b[0]) for a, b in pairwise(way) if len(a) == len(b) == 1 and not network.leaves & {a[0], b[0]}
    }


# --- the order


def ordered(found: Columned) -> list[list[Slot]]:
    """The slots of each column from above."""
    order = [list(column) for column in found.columns]
    for sweep in range(8):
        _sweep(order, found, forwards=sweep % 2 == 0)
    small = sum(map(len, order)) <= _MOST
    looks = _MOST_LOOKS if small else 0
    tangled = _tangled(order, found)
    best, better = tangled + (_unlevel(laid(order, found), found) if small else 0.0), True
    while better:
        better = False
        for column in order:
            for i, j in _swaps(len(column), small):
                column[i], column[j] = column[j], column[i]
                now = _tangled(order, found)
                if looks and now < best:
                    now, looks = now + _unlevel(laid(order, found), found), looks - 1
                elif small and now < best:
                    now = best  # enough was looked at
                if now < best - 1e-6:
                    best, better = now, True
                else:
                    column[i], column[j] = column[j], column[i]
    return order


def _swaps(length: int, small: bool) -> Iterator[tuple[int, int]]:
    return combinations(range(length), 2) if small else pairwise(range(length))


def _sweep(order: list[list[Slot]], found: Columned, *, forwards: bool) -> None:
    """Sort every column by the middle of what its slots are linked to in the column before."""
    index = {one: number for column in order for number, one in enumerate(column)}
    column_of = {one: number for number, column in enumerate(order) for one in column}
    step = 1 if forwards else -1
    linked: dict[Slot, list[Slot]] = {}
    for a, b, _ in found.pieces:
        linked.setdefault(a, []).append(b)
        linked.setdefault(b, []).append(a)
    for number in range(len(order))[::step]:
        middles = {}
        for one in order[number]:
            others = [index[other] for other in linked.get(one, ()) if column_of[other] == number - step]
            middles[one] = sum(others) / len(others) if others else index[one]
        order[number].sort(key=middles.__getitem__)
        index |= {one: position for position, one in enumerate(order[number])}


def _tangled(order: Sequence[Sequence[Slot]], found: Columned) -> float:
    """How tangled an order is, whatever the heights: crossings count most."""
    index = {one: number for column in order for number, one in enumerate(column)}
    column_of = {one: number for number, column in enumerate(order) for one in column}
    between: dict[int, list[tuple[int, int]]] = {}
    for a, b, _ in found.pieces:
        between.setdefault(column_of[a], []).append((index[a], index[b]))
    crossed = sum(
        (a - c) * (b - d) < 0 for pieces in between.values() for (a, b), (c, d) in combinations(pieces, 2)
    )
    over = sum(abs(index[a] - index[b]) - 1 for a, b in found.upright)
    turned = sum(a > b for column in order for (a, _), (b, _) in combinations(column, 2))
    return 100.0 * crossed + 40.0 * over + 0.01 * turned


def _unlevel(at: Mapping[Slot, float], found: Columned) -> float:
    return sum(weight * (at[a] - at[b]) ** 2 for a, b, weight in found.pieces)


# --- the heights


def laid(
    order: Sequence[Sequence[Slot]],
    found: Columned,
    apart: Apart = lambda _above, _below: 1.0,
    unit: float = 0.25,
) -> dict[Slot, float]:
    """Heights with at least so much between neighbors of a column, and lines as level as can be, in whole units from the
    highest on. Without more said they are in rows."""
    pulls = _pulls(order, found)
    steps = [_steps(column, apart) for column in order]
    at = {
        one: step - down[-1] / 2
        for column, down in zip(order, steps, strict=True)
        for one, step in zip(column, down, strict=True)
    }
    turns = list(zip(order, steps, strict=True))
    for sweep in range(_SWEEPS):
        for column, down in turns if sweep % 2 else turns[::-1]:
            wanted = [_wanted(one, at, pulls[one]) for one in column]
            at.update(zip(column, apart_by(wanted, down), strict=True))
    least = min(at.values())
    return {one: round((height - least) / unit) * unit for one, height in at.items()}


def _pulls(order: Sequence[Sequence[Slot]], found: Columned) -> dict[Slot, list[tuple[Slot, float]]]:
    """What each slot wants to be level with: what lines lead to, else what it hangs on."""
    pulls: dict[Slot, list[tuple[Slot, float]]] = {one: [] for column in order for one in column}
    for a, b, weight in found.pieces:
        pulls[a].append((b, weight))
        pulls[b].append((a, weight))
    hanging = [one for pair in found.upright for one in pair if not pulls[one]]
    for a, b in found.upright:
        for one, other in ((a, b), (b, a)):
            if one in hanging:
                pulls[one].append((other, 0.01))
    return pulls


def _steps(column: Sequence[Slot], apart: Apart) -> list[float]:
    """How far each slot of a column is at least below the first one."""
    return list(accumulate((apart(a, b) for a, b in pairwise(column)), initial=0.0))


def _wanted(one: Slot, at: Mapping[Slot, float], pulls: Sequence[tuple[Slot, float]]) -> tuple[float, float]:
    """Where a slot would best be, and how much it matters."""
    whole = sum(weight for _, weight in pulls)
    if not whole:
        return at[one], 0.001
    return sum(at[other] * weight for other, weight in pulls) / whole, whole


def apart_by(wanted: Sequence[tuple[float, float]], steps: Sequence[float]) -> list[float]:
    """The heights nearest to those wanted that are these steps apart or more: isotonic regression, by pooling what is in
    the wrong order."""
    pools: list[tuple[float, float, int]] = []
    for (height, weight), step in zip(wanted, steps, strict=True):
        pools.append((height - step, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (low, few, n), (high, more, m) = pools[-2:]
            pools[-2:] = [((low * few + high * more) / (few + more), few + more, n + m)]
    levels = [level for level, _, count in pools for _ in range(count)]
    return [level + step for level, step in zip(levels, steps, strict=True)]


def edge_slots(number: int, edge: Edge, at: Mapping[int, int]) -> tuple[Slot, ...]:
    """The slots by which a line passes from its `a` to its `b`."""
    a, b = at[edge.a], at[edge.b]
    step = 1 if a < b else -1
    return tuple(passing(number, column) for column in range(a + step, b, step))
