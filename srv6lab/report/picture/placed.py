"""A picture's values: where everything of a lab stands. Sizes and places are in px, rounded to tenths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from srv6lab.evidence.packets import Point

from .cards import CardLine

Side = Literal["left", "right", "top", "bottom"]


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A card with its middle at `x`, `y`; `lines` are what is written below its name."""

    name: str
    role: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[CardLine, ...]


@dataclass(frozen=True, slots=True)
class PlacedEnd:
    """A NIC: where its link meets its card's `side`, and the SVG path from there to the middle of the link, which first
    bends up (-1) or down (1), or not at all."""

    point: Point
    x: float
    y: float
    side: Side
    path: str
    bends: int = 0

    @property
    def nic(self) -> str:
        return self.point.nic


@dataclass(frozen=True, slots=True)
class PlacedLink:
    """A link with its middle at `x`, `y`, where its ends' paths come together: the hub of a bridge. `words` are written
    there: its prefixes, and its name where another one joins the same nodes."""

    name: str
    x: float
    y: float
    bridge: bool
    prefixes: tuple[str, ...]
    words: tuple[str, ...]
    ends: tuple[PlacedEnd, ...]


@dataclass(frozen=True, slots=True)
class PlacedService:
    """A service on the card of its node; `ends` are the NICs of its own."""

    name: str
    node: str
    text: str
    x: float
    y: float
    width: float
    height: float
    ends: tuple[PlacedEnd, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A picture of `width` by `height`; `small` says that there are so many links that nothing is written at them."""

    width: float
    height: float
    small: bool
    nodes: tuple[PlacedNode, ...]
    links: tuple[PlacedLink, ...]
    services: tuple[PlacedService, ...]
