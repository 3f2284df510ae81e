"""Lines of a picture as SVG paths: straight pieces and bends, each with a middle where it can be cut in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

XY = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Piece:
    """A cubic Bézier curve, or a straight line where `one` and `two` are None."""

    start: XY
    end: XY
    one: XY | None = None
    two: XY | None = None

    def cut(self) -> tuple[Piece, Piece]:
        """Its two halves."""
        if self.one is None or self.two is None:
            middle = _between(self.start, self.end)
            return Piece(self.start, middle), Piece(middle, self.end)
        a, b, c = _between(self.start, self.one), _between(self.one, self.two), _between(self.two, self.end)
        d, e = _between(a, b), _between(b, c)
        middle = _between(d, e)
        return Piece(self.start, middle, a, d), Piece(middle, self.end, e, c)

    def reversed(self) -> Piece:
        return Piece(self.end, self.start, self.two, self.one)

    def drawn(self) -> str:
        """What it adds to a path that has come to its start."""
        if self.one is None or self.two is None:
            return f"L{_text(self.end)}"
        return f"C{_text(self.one)} {_text(self.two)} {_text(self.end)}"


def bend(start: XY, end: XY) -> Piece:
    """Between two points, horizontal at both ends; straight where they are level."""
    if abs(start[1] - end[1]) < 0.05:
        return Piece(start, end)
    middle = (start[0] + end[0]) / 2
    return Piece(start, end, (middle, start[1]), (middle, end[1]))


def through(points: Sequence[XY]) -> list[Piece]:
    """A way through points: straight, bent, straight, …"""
    return [Piece(a, b) if number % 2 == 0 else bend(a, b) for number, (a, b) in enumerate(pairwise(points))]


def halves(pieces: Sequence[Piece]) -> tuple[XY, str, str]:
    """The middle of a way with an odd number of pieces, and the paths from both of its ends to there."""
    number = len(pieces) // 2
    first, second = pieces[number].cut()
    back = [piece.reversed() for piece in reversed((second, *pieces[number + 1 :]))]
    return first.end, path((*pieces[:number], first)), path(back)


def path(pieces: Sequence[Piece]) -> str:
    return f"M{_text(pieces[0].start)}" + "".join(
        piece.drawn() for piece in pieces if piece.start != piece.end
    )


def _between(a: XY, b: XY) -> XY:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _text(point: XY) -> str:
    return ",".join(number(one) for one in point)


def number(value: float) -> str:
    """To a tenth, without a zero behind the point."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
