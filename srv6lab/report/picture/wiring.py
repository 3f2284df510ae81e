"""A grid of nodes → px: how wide columns are, where each link meets a card, and its way between cards.

A link leaves a card at its side, level, with room for what its NIC is called and for its addresses; then it bends to
where it goes. Links between neighbors of one column go straight down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from srv6lab.plan.nodes import Nic, Plan

from .cards import Card
from .grid import Grid
from .network import Edge, Network, links
from .paths import XY, Piece, halves, path, through
from .placed import PlacedEnd, PlacedLink, Side
from .rows import Slot, apart_by, edge_slots, slot

LABEL, LABEL_LINE = 6.1, 12.0  # width and height of a character of 10 px, in px
MARGIN = 16.0
_HUB = 10.0
_BENT = 64.0  # room for a bend
_LEAST_GAP = 60.0
_FLAT = 70.0  # what rises less than that
_ROW, _ROW_WITH_LABELS = 30.0, 78.0  # between two cards of a column; with a link between them


@dataclass(frozen=True)
class Drawn:
    """The middles and sizes of vertices, the links, and the size of the picture."""

    centres: Mapping[int, XY]
    sizes: Mapping[int, XY]
    links: tuple[PlacedLink, ...]
    size: XY


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge with its NIC at `a`, and at `b` unless that is a hub; the vertices as they stand: `a` is further left, or
    above."""

    number: int
    edge: Edge
    a: int
    b: int
    nics: Mapping[int, Nic]


def wired(plan: Plan, network: Network, grid: Grid, cards: Mapping[int, Card]) -> Drawn:
    return _Wiring(plan, network, grid, cards).drawn()


class _Wiring:
    """One picture in the making."""

    def __init__(self, plan: Plan, network: Network, grid: Grid, cards: Mapping[int, Card]) -> None:
        self.network, self.grid = network, grid
        self.rows: Mapping[Slot, float] = grid.rows  # later in px
        self.nics = links(plan)
        self.words = words(self.nics)
        self.wires = tuple(self._wires(plan))
        self.offsets = self._offsets()
        self.sizes = {one: self._size(one, cards.get(one)) for one in range(len(network.names))}
        self.rows = self._heights()
        self.offsets = self._leveled(self._offsets())
        self.columns = self._columns()

    def _wires(self, plan: Plan) -> Iterator[Wire]:
        number_of = {node.name: index for index, node in enumerate(plan.nodes)}
        taken: dict[str, int] = {}
        for number, edge in enumerate(self.network.edges):
            nics = self.nics[edge.link]
            if edge.b in self.network.hubs:
                turn = taken[edge.link] = taken.get(edge.link, -1) + 1
                known = {edge.a: nics[turn]}
            else:
                known = {number_of[nic.point.node]: nic for nic in nics}
            a, b = sorted((edge.a, edge.b), key=lambda one: (self.grid.columns[one], self._row(one), one))
            yield Wire(number, edge, a, b, known)

    def _row(self, vertex: int) -> float:
        return self.rows[slot(vertex)]

    # --- ends of links

    def _side(self, wire: Wire, vertex: int) -> Side:
        """The side of a vertex that a wire leaves by."""
        if self.grid.columns[wire.a] != self.grid.columns[wire.b]:
            return "right" if vertex == wire.a else "left"
        if self._next_below(wire):
            return "bottom" if vertex == wire.a else "top"
        return "right"

    def _next_below(self, wire: Wire) -> bool:
        """Whether nothing else of their column stands between the two."""
        column, low, high = self.grid.columns[wire.a], self._row(wire.a), self._row(wire.b)
        between = (v for v, c in self.grid.columns.items() if c == column and low < self._row(v) < high)
        passing = (s for s, row in self.rows.items() if s[1] == column and low < row < high)
        return not any(between) and not any(passing)

    def _toward(self, wire: Wire, vertex: int) -> float:
        """The row where a wire goes next from a vertex."""
        edge = wire.edge
        slots = edge_slots(wire.number, edge, self.grid.columns)
        other = edge.b if vertex == edge.a else edge.a
        if not slots:
            return self._row(other)
        return self.rows[slots[0] if vertex == edge.a else slots[-1]]

    def _sides(self) -> dict[tuple[int, Side], list[Wire]]:
        """The wires at each side of each vertex, from above or from the left."""
        found: dict[tuple[int, Side], list[Wire]] = {}
        for wire in self.wires:
            for vertex in (wire.a, wire.b):
                found.setdefault((vertex, self._side(wire, vertex)), []).append(wire)
        for (vertex, _), wires in found.items():
            wires.sort(key=lambda wire, one=vertex: (self._toward(wire, one), wire.number))  # type: ignore[misc]
        return found

    def _step(self, vertex: int, side: Side, wires: Sequence[Wire]) -> float:
        """How far apart the wires at a side are at least."""
        if vertex in self.network.hubs:
            return 0.0
        if side in ("top", "bottom"):
            return max(map(self._beside, wires)) + 16
        lines = (len(label(wire.nics[vertex])) + len(self.words[wire.edge.link][1:]) for wire in wires)
        return LABEL_LINE * max(lines) + 14

    def _offsets(self) -> dict[tuple[int, int], float]:
        """How far from the middle of its side each wire meets a vertex, by the wire's number and the vertex."""
        found: dict[tuple[int, int], float] = {}
        for (vertex, side), wires in self._sides().items():
            upright = side in ("top", "bottom")
            level = [w for w in wires if not upright and self._toward(w, vertex) == self._row(vertex)]
            middle = sum(wires.index(w) for w in level) / len(level) if level else (len(wires) - 1) / 2
            for turn, wire in enumerate(wires):
                found[wire.number, vertex] = (turn - middle) * self._step(vertex, side, wires)
        return found

    def _size(self, vertex: int, card: Card | None) -> XY:
        """A card is as high, and as wide, as the links at its sides need it to be."""
        if card is None:
            return _HUB, _HUB
        reach = {True: 0.0, False: 0.0}
        for wire in self.wires:
            for one in (wire.a, wire.b):
                if one == vertex:
                    upright = self._side(wire, one) in ("top", "bottom")
                    reach[upright] = max(reach[upright], abs(self.offsets[wire.number, one]))
        return max(card.width, 2 * reach[True] + 24), max(card.height, 2 * reach[False] + 28)

    # --- px

    def _stub(self, wire: Wire, vertex: int) -> float:
        """Room for what is written at an end."""
        nic = wire.nics.get(vertex)
        return 0.0 if nic is None else label_width(nic) / 2 + 10

    def _rise(self, wire: Wire) -> float:
        """How far a wire is from running level."""
        passed = [self.rows[one] for one in edge_slots(wire.number, wire.edge, self.grid.columns)]
        heights = [self._row(one) + self.offsets[wire.number, one] for one in (wire.a, wire.b)] + passed
        return max(heights) - min(heights)

    def _bent(self, wire: Wire) -> float:
        """The width that a wire needs to bend: where it goes but little up or down, its prefix stands between what is
        written at its ends."""
        rise, nics = self._rise(wire), list(wire.nics.values())
        if rise < 0.5:
            return 0.0
        bent = self._stub(wire, wire.a) + self._stub(wire, wire.b) + _BENT
        return (
            max(bent, sum(map(label_width, nics)) + words_width(self.words[wire.edge.link]) + 26)
            if rise < _FLAT
            else bent
        )

    def _beside(self, wire: Wire) -> float:
        """The width of what is written beside an upright link."""
        nics = list(wire.nics.values())
        ends = (len(f"{nic.name} {address}") for nic in nics for address in label(nic)[1:2] or [""])
        return max([words_width(self.words[wire.edge.link]) - 12, *(length * LABEL for length in ends)])

    def _written(self, wire: Wire) -> float:
        """The width of what is written along a level link: names and prefix above it, addresses below it."""
        nics = list(wire.nics.values())
        names = sum(len(nic.name) * LABEL + 14 for nic in nics)
        above = names + (words_width(self.words[wire.edge.link]) if len(nics) == 2 else 0)
        return max(above, sum(label_width(nic) + 14 for nic in nics))

    def _columns(self) -> tuple[list[float], list[float]]:
        """The middles of the columns, and their widths."""
        count = max(self.grid.columns.values(), default=-1) + 1
        widths = [0.0] * count
        for vertex, column in self.grid.columns.items():
            widths[column] = max(widths[column], self.sizes[vertex][0])
        gaps = [_LEAST_GAP] * max(count - 1, 0)
        for wire in self.wires:
            first, last = self.grid.columns[wire.a], self.grid.columns[wire.b]
            stubs = self._stub(wire, wire.a), self._stub(wire, wire.b)
            if last - first == 1:
                gaps[first] = max(gaps[first], self._written(wire), self._bent(wire))
            elif last > first:
                gaps[first] = max(gaps[first], stubs[0] + _BENT)
                gaps[last - 1] = max(gaps[last - 1], stubs[1] + _BENT)
            elif self._side(wire, wire.a) == "right" and first < len(gaps):
                gaps[first] = max(gaps[first], max(stubs) + _BENT)
        middles, x = [], MARGIN
        for width, gap in zip(widths, [*gaps, 0.0], strict=True):
            middles.append(x + width / 2)
            x += width + gap
        return middles, widths

    def _reach(self, one: Slot) -> float:
        """From the middle of a slot to its edge."""
        return self.sizes[one[0]][1] / 2 if one[1] == -1 else 0.0

    def _heights(self) -> dict[Slot, float]:
        """The middles of slots in px from above."""
        joined = {(wire.a, wire.b) for wire in self.wires if self._side(wire, wire.a) == "bottom"}

        def apart(above: Slot, below: Slot) -> float:
            linked = above[1] == below[1] == -1 and (above[0], below[0]) in joined
            return self._reach(above) + self._reach(below) + (_ROW_WITH_LABELS if linked else _ROW)

        found = self.grid.heights(apart)
        top = MARGIN - min((at - self._reach(one) for one, at in found.items()), default=0.0)
        return {one: at + top for one, at in found.items()}

    def _leveled(self, offsets: dict[tuple[int, int], float]) -> dict[tuple[int, int], float]:
        """The offsets, with links to what has no other link on that side made level where the card is high enough."""
        for (vertex, side), wires in self._sides().items():
            if side in ("top", "bottom") or vertex in self.network.hubs:
                continue
            wanted = [self._wanted(wire, vertex, offsets) for wire in wires]
            steps = [self._step(vertex, side, wires) * turn for turn in range(len(wires))]
            room = self.sizes[vertex][1] / 2 - 12
            if 2 * room >= steps[-1]:
                last = steps[-1]
                found = [
                    min(max(one, step - room), room - last + step)
                    for one, step in zip(apart_by(wanted, steps), steps, strict=True)
                ]
                offsets |= {(wire.number, vertex): one for wire, one in zip(wires, found, strict=True)}
        return offsets

    def _wanted(
        self, wire: Wire, vertex: int, offsets: Mapping[tuple[int, int], float]
    ) -> tuple[float, float]:
        """Where a wire would best meet a vertex, and how much that matters."""
        other = wire.b if vertex == wire.a else wire.a
        rise = self._toward(wire, vertex) - self._row(vertex)
        passes = bool(edge_slots(wire.number, wire.edge, self.grid.columns))
        alone = passes or len(self._sides()[other, self._side(wire, other)]) == 1
        if alone and abs(rise) <= self.sizes[vertex][1] / 2 - 12:
            return rise, 100.0
        return offsets[wire.number, vertex], 1.0

    def _centre(self, vertex: int) -> XY:
        return self.columns[0][self.grid.columns[vertex]], self._row(vertex)

    # --- links

    def drawn(self) -> Drawn:
        centres = {vertex: self._centre(vertex) for vertex in self.grid.columns}
        ends: dict[str, list[PlacedEnd]] = {}
        middles: dict[str, XY] = {}
        for wire in self.wires:
            middle, found = self._ends(wire)
            middles[wire.edge.link] = middle
            ends.setdefault(wire.edge.link, []).extend(found)
        placed = tuple(
            placed_link(name, middles[name], self.nics[name], self.words[name], ends[name])
            for name in self.nics
        )
        right = max((x + self.sizes[v][0] / 2 for v, (x, _) in centres.items()), default=0)
        low = max((y + self.sizes[v][1] / 2 for v, (_, y) in centres.items()), default=0)
        low = max([low, *(self.rows[one] for one in self.grid.rows)])
        for wire in self.wires:
            if self._side(wire, wire.a) == "bottom":
                right = max(right, self._port(wire, wire.a)[0] + 9 + self._beside(wire) - MARGIN / 2)
        return Drawn(centres, self.sizes, placed, (right + MARGIN, low + MARGIN))

    def _ends(self, wire: Wire) -> tuple[XY, list[PlacedEnd]]:
        """The middle of a wire's link, and its NICs with their ways there."""
        pieces = self._pieces(wire)
        hub = next((one for one in (wire.a, wire.b) if one in self.network.hubs), None)
        if hub is None:
            middle, *ways = halves(pieces)
        else:
            middle = self._centre(hub)
            ways = [path(pieces), path([piece.reversed() for piece in pieces[::-1]])]
        starts = (pieces[0].start, pieces[-1].end)
        turns = (_turn([*pieces]), _turn([piece.reversed() for piece in pieces[::-1]]))
        return middle, [
            PlacedEnd(wire.nics[one].point, *rounded(start), self._side(wire, one), way, turn)
            for one, start, way, turn in zip((wire.a, wire.b), starts, ways, turns, strict=True)
            if one in wire.nics
        ]

    def _pieces(self, wire: Wire) -> list[Piece]:
        a, b = self._port(wire, wire.a), self._port(wire, wire.b)
        side = self._side(wire, wire.a)
        if self.grid.columns[wire.a] == self.grid.columns[wire.b]:
            if side == "bottom":
                return [Piece(a, b)]
            out = max(a[0], b[0]) + _BENT
            return [Piece(a, b, (out, a[1]), (out, b[1]))]
        slots = edge_slots(wire.number, wire.edge, self.grid.columns)
        points = [a, self._stub_end(wire, wire.a, a)]
        for one in sorted(slots, key=lambda passing: passing[1]):
            middle, width = self.columns[0][one[1]], self.columns[1][one[1]]
            points += [(middle - width / 2, self.rows[one]), (middle + width / 2, self.rows[one])]
        return through([*points, self._stub_end(wire, wire.b, b), b])

    def _port(self, wire: Wire, vertex: int) -> XY:
        x, y = self._centre(vertex)
        width, height = (0.0, 0.0) if vertex in self.network.hubs else self.sizes[vertex]
        offset = self.offsets[wire.number, vertex]
        match self._side(wire, vertex):
            case "left":
                return x - width / 2, y + offset
            case "right":
                return x + width / 2, y + offset
            case "top":
                return x + offset, y - height / 2
            case "bottom":
                return x + offset, y + height / 2

    def _stub_end(self, wire: Wire, vertex: int, port: XY) -> XY:
        """Where a link leaves the level: behind its label, and not before the column's edge."""
        column = self.grid.columns[vertex]
        middle, width = self.columns[0][column], self.columns[1][column]
        stub = self._stub(wire, vertex)
        if self._side(wire, vertex) == "right":
            return max(port[0] + stub, middle + width / 2), port[1]
        return min(port[0] - stub, middle - width / 2), port[1]


def _turn(pieces: Sequence[Piece]) -> int:
    """Whether a way that begins level goes up (-1) or down (1) first."""
    if pieces[0].start[0] == pieces[-1].end[0] and len(pieces) == 1:
        return 0
    high = next((rise for one in pieces if abs(rise := one.end[1] - one.start[1]) > 0.5), 0.0)
    return (high > 0) - (high < 0)


def label(nic: Nic) -> list[str]:
    """What is written at the end of a link: the NIC's name, and its addresses."""
    return [nic.name, *(str(one.ip) for one in nic.addresses)]


def label_width(nic: Nic) -> float:
    return max(map(len, label(nic))) * LABEL


def prefixes(nics: Sequence[Nic]) -> tuple[str, ...]:
    """Those that a link's ends have addresses in, each once."""
    found = (one.network for nic in nics for one in nic.addresses if not one.is_link_local)
    return tuple(map(str, dict.fromkeys(found)))


def words(nics: Mapping[str, Sequence[Nic]]) -> dict[str, tuple[str, ...]]:
    """What is written at the middle of each link: its prefixes, and its name where another one joins the same nodes."""
    ends = {name: frozenset(nic.point.node for nic in both) for name, both in nics.items()}
    joined = Counter(ends.values())
    return {
        name: (*([name] if joined[ends[name]] > 1 else []), *prefixes(both)) for name, both in nics.items()
    }


def words_width(lines: Sequence[str]) -> float:
    return max(map(len, lines), default=0) * LABEL + 12


def placed_link(
    name: str, middle: XY, nics: Sequence[Nic], words: tuple[str, ...], ends: Sequence[PlacedEnd]
) -> PlacedLink:
    """A link with its ends in the order of its nodes."""
    order = [nic.point for nic in nics]
    ends = sorted(ends, key=lambda end: order.index(end.point))
    return PlacedLink(name, *rounded(middle), len(nics) > 2, prefixes(nics), words, tuple(ends))


def rounded(point: XY) -> XY:
    return round(point[0], 1) + 0.0, round(point[1], 1) + 0.0
