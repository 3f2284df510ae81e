"""A lab's picture for diagrams.net (draw.io), as a file that it opens and people go on drawing in.

All texts are plain there, not HTML: no style says `html=1`.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as xml
from collections.abc import Mapping, Sequence, Set

from srv6lab.plan.nodes import Plan
from srv6lab.report.quoting import plain

from .layout import Layout, PlacedEnd, PlacedLink, PlacedNode, PlacedService, layout
from .paths import number
from .ways import NOWHERE, Way
from .wiring import label

_COLORS = {"host": "#52606d", "router": "#1d5fa8", "sr-proxy": "#b04a00", "service": "#7a3aa8"}
_CARD = (
    "rounded=1;arcSize=6;fillColor=#f7f9fb;fontColor=#1f2933;verticalAlign=middle;align=center;fontSize=11;"
)
_CHIP = "rounded=1;arcSize=50;fillColor=#ffffff;fontColor=#1f2933;fontSize=11;"
_LINE = "endArrow=none;strokeColor=#7b8794;"
_WAY = "endArrow=none;strokeColor=#c2185b;strokeWidth=2;dashed=1;"
_HUB = "ellipse;fillColor=#7b8794;verticalLabelPosition=top;verticalAlign=bottom;strokeColor=#7b8794;"
_LABEL = "edgeLabel;resizable=0;fontSize=10;fontColor=#52606d;labelBackgroundColor=#ffffff;"


def picture_drawio(plan: Plan, way: Way = NOWHERE) -> str:
    """The picture of a lab; the links of a way are dashed."""
    placed = layout(plan)
    file = xml.Element("mxfile", {"host": "srv6lab", "compressed": "false"})
    diagram = xml.SubElement(file, "diagram", {"id": "lab", "name": plain(plan.name)})
    model = xml.SubElement(diagram, "mxGraphModel", {"grid": "1", "page": "0"})
    root = xml.SubElement(model, "root")
    xml.SubElement(root, "mxCell", {"id": "0"})
    xml.SubElement(root, "mxCell", {"id": "1", "parent": "0"})
    names = {node.name: f"n{turn}" for turn, node in enumerate(placed.nodes, 1)}
    for node in placed.nodes:
        _node(root, node, names[node.name])
    for turn, service in enumerate(placed.services, 1):
        _service(root, service, f"s{turn}")
    _Links(root, plan, placed, names, way.links(plan)).draw()
    xml.indent(file)
    return xml.tostring(file, encoding="unicode") + "\n"


def _node(root: xml.Element, node: PlacedNode, name: str) -> None:
    text = [node.name, *(line.text.strip() for line in node.lines)]
    top = "verticalAlign=top;" if node.lines else ""
    style = f"{_CARD}{top}strokeColor={_COLORS[node.role]};"
    _box(root, name, text, style, (node.x, node.y, node.width, node.height))


def _service(root: xml.Element, service: PlacedService, name: str) -> None:
    box = (service.x, service.y, service.width, service.height)
    _box(root, name, [service.text], f"{_CHIP}strokeColor={_COLORS['service']};", box)


def _box(
    root: xml.Element, name: str, text: Sequence[str], style: str, box: tuple[float, float, float, float]
) -> None:
    """A shape; `box` is its middle and its size."""
    x, y, width, height = box
    cell = xml.SubElement(
        root, "mxCell", {"id": name, "value": _lines(text), "style": style, "vertex": "1", "parent": "1"}
    )
    place = {"x": x - width / 2, "y": y - height / 2, "width": width, "height": height}
    _geometry(cell, {key: number(value) for key, value in place.items()})


class _Links:
    """The lines of a picture, each with texts at its ends and its middle."""

    def __init__(
        self, root: xml.Element, plan: Plan, placed: Layout, names: Mapping[str, str], over: Set[str]
    ) -> None:
        self.root, self.placed, self.names, self.over = root, placed, names, over
        self.nics = {nic.point: nic for nic in plan.nics()}
        self.nodes = {node.name: node for node in placed.nodes}

    def draw(self) -> None:
        for turn, link in enumerate(self.placed.links, 1):
            if link.bridge:
                self._bridge(link, f"l{turn}")
            else:
                self._cable(link, f"l{turn}")

    def _bridge(self, link: PlacedLink, name: str) -> None:
        text = [link.name, *link.prefixes]
        _box(self.root, name, text, _HUB, (link.x, link.y, 10, 10))
        for part, end in enumerate(link.ends, 1):
            ports = _port("exit", end, self.nodes)
            spoke = f"{name}-{part}"
            self._line(link, spoke, (self.names[end.point.node], name), ports)
            self._end(spoke, end, "a")

    def _cable(self, link: PlacedLink, name: str) -> None:
        one, other = link.ends
        ports = _port("exit", one, self.nodes) + _port("entry", other, self.nodes)
        line = self._line(link, name, (self.names[one.point.node], self.names[other.point.node]), ports)
        if corners := _corners(link):
            array = xml.SubElement(line, "Array", {"as": "points"})
            for x, y in corners:
                xml.SubElement(array, "mxPoint", {"x": x, "y": y})
        if not self.placed.small:
            _text(self.root, (name, "m"), link.words, 0, "")
        self._end(name, one, "a")
        self._end(name, other, "b")

    def _line(self, link: PlacedLink, name: str, between: tuple[str, str], ports: str) -> xml.Element:
        """A line's geometry."""
        style = f"{_WAY if link.name in self.over else _LINE}{ports}"
        attributes = {"id": name, "style": style, "edge": "1", "parent": "1"}
        cell = xml.SubElement(self.root, "mxCell", {**attributes, "source": between[0], "target": between[1]})
        return _geometry(cell, {"relative": "1"})

    def _end(self, line: str, end: PlacedEnd, part: str) -> None:
        """What is written where a line begins (`a`) or ends (`b`)."""
        if self.placed.small:
            return
        level = end.side in ("left", "right")
        where = (1.0 if level else 0.75) * (1 if part == "b" else -1)
        align = "align=right;" if end.side == "left" else "align=left;"
        _text(self.root, (line, part), label(self.nics[end.point]), where, align)


def _port(which: str, end: PlacedEnd, nodes: Mapping[str, PlacedNode]) -> str:
    """Where a line meets a shape, in parts of its size."""
    node = nodes[end.point.node]
    x = round((end.x - node.x) / node.width + 0.5, 3) + 0.0
    y = round((end.y - node.y) / node.height + 0.5, 3) + 0.0
    return f"{which}X={x:g};{which}Y={y:g};{which}Perimeter=0;"


def _corners(link: PlacedLink) -> list[tuple[str, str]]:
    """The points by which a link goes, of both of its ends' paths."""
    one, other = ([*re.findall(r"[LC][^LC]*?(-?[\d.]+),(-?[\d.]+)(?=[LC]|$)", end.path)] for end in link.ends)
    if link.ends[0].bends == link.ends[1].bends == 0:
        return []
    return list(dict.fromkeys([*one[:-1], *other[-2::-1]]))


def _text(root: xml.Element, place: tuple[str, str], text: Sequence[str], where: float, align: str) -> None:
    """A text at a line: 0 is its middle, -1 and 1 its ends."""
    line, part = place
    attributes = {"id": f"{line}{part}", "value": _lines(text), "style": f"{_LABEL}{align}", "vertex": "1"}
    cell = xml.SubElement(root, "mxCell", {**attributes, "connectable": "0", "parent": line})
    _geometry(cell, {"x": f"{where:g}", "relative": "1"})


def _geometry(cell: xml.Element, attributes: Mapping[str, str]) -> xml.Element:
    return xml.SubElement(cell, "mxGeometry", {**attributes, "as": "geometry"})


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(map(plain, lines))
