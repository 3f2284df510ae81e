"""Columns and rows of a whole lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .columns import columns
from .network import Network
from .rows import Apart, Columned, Slot, columned, laid, ordered

Part = tuple[Sequence[Sequence[Slot]], Columned]
_UNIT = 6.0  # px, in which heights are told: so numbers don't hang on the last digit of a sum


@dataclass(frozen=True)
class Grid:
    """The column of each vertex, and the row of each slot: of vertices, and of lines that pass a column. `parts` have no
    way to each other."""

    columns: Mapping[int, int]
    rows: Mapping[Slot, float]
    parts: tuple[Part, ...]

    def heights(self, apart: Apart) -> dict[Slot, float]:
        """The middle of each slot in px, so far apart in its column as is said; each part below the one before."""
        found: dict[Slot, float] = {}
        for order, part in self.parts:
            at = laid(order, part, lambda a, b: -(-apart(a, b) // _UNIT) * _UNIT, _UNIT)
            below = max((found[a] + apart(a, b) - at[b] for a in found for b in at), default=0.0)
            found |= {one: height + below for one, height in at.items()}
        return found


def gridded(network: Network) -> Grid:
    at: dict[int, int] = {}
    rows: dict[Slot, float] = {}
    parts: list[Part] = []
    for component in network.components():
        here = columns(network, component)
        found = columned(network, here)
        order = ordered(found)
        below = max(rows.values(), default=-1.0) + 1
        rows |= {one: row + below for one, row in laid(order, found).items()}
        at |= here
        parts.append((order, found))
    return Grid(at, rows, tuple(parts))
