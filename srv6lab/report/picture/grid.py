"""Columns and rows of a whole lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .rows import Slot


@dataclass(frozen=True)
class Grid:
    """The column of each vertex, and the row of each slot: of vertices, and of lines that pass a column."""

    columns: Mapping[int, int]
    rows: Mapping[Slot, float]


def joined(parts: Sequence[Grid]) -> Grid:
    """The parts below each other."""
    columns: dict[int, int] = {}
    rows: dict[Slot, float] = {}
    for part in parts:
        below = max(rows.values(), default=-1.0) + 1
        columns |= part.columns
        rows |= {one: row + below for one, row in part.rows.items()}
    return Grid(columns, rows)
