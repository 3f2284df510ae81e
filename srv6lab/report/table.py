"""Text that fits a terminal, also where letters are as wide as two: rows of cells with their columns below each other, and
long text in lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_WIDE, _UNSEEN = frozenset("WF"), frozenset({"Mn", "Me", "Cf"})
# Between wide letters a line may end, but not behind what opens, nor before what closes.
_OPENS, _CLOSES = "（［｛《〈「『【〔“‘", "，。、：；？！）］｝》〉」』】〕”’…"
_LETTER = r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]"
_PIECE = re.compile(
    rf"[{_OPENS}]*(?:(?![{_OPENS}{_CLOSES}]){_LETTER}|(?:(?!{_LETTER})[^{_OPENS}{_CLOSES}])+)[{_CLOSES}]*|.",
    re.DOTALL,
)


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


def wrapped(text: str, most: int, first: str = "", further: str = "") -> Iterator[str]:
    """A text in lines of at most `most` columns, as far as its words allow: the first one behind `first`, the others behind
    `further`."""
    line, head = "", first
    for gap, piece in _pieces(text):
        if line and width(head + line + gap + piece) > most:
            yield head + line
            line, head = piece, further
        else:
            line += (gap if line else "") + piece
    yield head + line


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """What stays together, with the blank before it."""
    for number, word in enumerate(text.split(" ")):
        gap = " " if number else ""
        for piece in [word] if word.isascii() else _PIECE.findall(word):
            yield gap, piece
            gap = ""
