"""Which column each vertex stands in, from left to right as the first probe goes.

What is on a way between its two ends stands by its distances from them. What hangs on that by one link stands in the
same column (a service), or further out (hosts, and what has more behind it).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .network import CABLE, Network

_LONG = 7  # nodes of a chain


def columns(network: Network, component: Collection[int]) -> dict[int, int]:
    """The columns of the vertices that reach each other, counted from 0 with none empty."""
    left, right = _ends(network, component)
    core, hanging = _peeled(network, component, {left, right})
    from_left, from_right = network.distances(left), network.distances(right)
    whole = max(from_left[right], 1)
    at: dict[int, int] = {}
    for one in core:
        far = from_left[one] + from_right[one]
        at[one] = (2 * whole * from_left[one] + far) // (2 * far) if far else 0
    for one, parent, bears in reversed(hanging):
        at[one] = _beside(network, one, at[parent], whole, bears)
    numbers = {value: number for number, value in enumerate(sorted(set(at.values())))}
    found = {one: numbers[value] for one, value in at.items()}
    chain = all(len(network.around[one]) <= 2 for one in found) and len(numbers) == len(found)
    return _folded(found) if chain and len(found) >= _LONG else found


def _folded(at: Mapping[int, int]) -> dict[int, int]:
    """A long chain in two rows: there and back. In one row it would be too small to be read."""
    last = (len(at) + 1) // 2 - 1
    return {one: column if column <= last else 2 * last + 1 - column for one, column in at.items()}


def _beside(network: Network, one: int, parent: int, whole: int, bears: bool) -> int:
    """Where something stands that hangs on a vertex: outwards, or in its column."""
    side = 2 * parent - whole
    outwards = bears or one in network.hubs or (one in network.leaves and side != 0)
    if not outwards:
        return parent
    if one in network.leaves:
        return min(0, parent - CABLE) if side < 0 else max(whole, parent + CABLE)
    return parent - CABLE if side < 0 else parent + CABLE


def _ends(network: Network, component: Collection[int]) -> tuple[int, int]:
    """Those of the first probe, or two that are as far from each other as any."""
    if network.ends and set(network.ends) <= set(component):
        return network.ends
    start = min(component)
    for _ in range(2):
        far = network.distances(start)
        other, start = start, max(component, key=lambda one: (far[one], one in network.leaves, -one))
    return (other, start) if other <= start else (start, other)


def _peeled(
    network: Network, component: Collection[int], ends: Collection[int]
) -> tuple[list[int], list[tuple[int, int, bool]]]:
    """The vertices on ways between the ends; and what hangs on those by one link, from outside inwards, each with what
    it hangs on and whether something hangs on it."""
    degrees = {one: len(network.around[one]) for one in component}
    bare = [one for one in component if degrees[one] == 1 and one not in ends]
    hanging: list[tuple[int, int, bool]] = []
    gone: set[int] = set()
    bearing: set[int] = set()
    while bare:
        one = bare.pop(0)
        gone.add(one)
        parent = next(other for other, _ in network.around[one] if other not in gone)
        hanging.append((one, parent, one in bearing))
        bearing.add(parent)
        degrees[parent] -= 1
        if degrees[parent] == 1 and parent not in ends:
            bare.append(parent)
    return [one for one in component if one not in gone], hanging
