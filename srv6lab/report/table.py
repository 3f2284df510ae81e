"""Rows of cells → lines with their columns below each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

_WIDE, _UNSEEN = frozenset("WF"), frozenset({"Mn", "Me", "Cf"})


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> list[str]:
    """Also where letters are as wide as two."""
    rows = list(rows)
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
        for row in rows
    )
    return [f"{indent}{line}".rstrip() for line in lines]


def width(text: str) -> int:
    """In columns of a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.category(one) in _UNSEEN else 1 + (unicodedata.east_asian_width(one) in _WIDE)
        for one in text
    )
