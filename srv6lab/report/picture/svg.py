"""A lab's picture as SVG: one file that needs no other, and follows the reader's choice of light or dark."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections.abc import Sequence

from srv6lab.evidence.packets import Point
from srv6lab.plan.nodes import Nic, Plan
from srv6lab.report.quoting import plain

from .cards import CHARACTER, HEAD, LINE, PAD
from .clear import Box, clear
from .icons import ICONS
from .layout import CardLine, Layout, PlacedEnd, PlacedLink, PlacedNode, PlacedService, layout
from .paths import number
from .ways import NOWHERE, Way
from .wiring import LABEL_LINE, MARGIN, label

_LEGEND = 22.0

_STYLE = """
svg{--paper:#fff;--ink:#1f2933;--faint:#52606d;--card:#f7f9fb;--line:#7b8794;--host:#52606d;--router:#1d5fa8;
--sr-proxy:#b04a00;--service:#7a3aa8;--sid:#0b6b4f;--way:#c2185b}
@media (prefers-color-scheme:dark){svg{--paper:#12181f;--ink:#e8edf2;--faint:#a9b6c3;--card:#1b242e;--line:#8291a1;
--host:#a9b6c3;--router:#7ab8ff;--sr-proxy:#ffa869;--service:#d3a4ff;--sid:#6bd6ad;--way:#ff7eb0}}
text{font:11px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:var(--ink)}
.paper{fill:var(--paper)}.link path{fill:none;stroke:var(--line);stroke-width:1.6}
.link circle{fill:var(--line)}.link text{font-size:10px;fill:var(--faint);stroke:var(--paper);stroke-width:4px;
stroke-linejoin:round;paint-order:stroke}.link .nic{font-weight:bold}.link .prefix{fill:var(--ink)}
.node rect,.service rect{fill:var(--card);stroke:var(--role);stroke-width:1.6}
.service rect{fill:var(--paper);stroke-width:1}.icon{fill:none;stroke:var(--role);stroke-width:1.5;
stroke-linecap:round;stroke-linejoin:round}
.name{font:bold 14px system-ui,"DejaVu Sans",sans-serif}.address,.locator,.domain,.vrf,.more{fill:var(--faint)}
.sid{fill:var(--sid);font-weight:bold}.behavior,.policy{fill:var(--sid)}
.way .step{fill:none;stroke:var(--way);stroke-width:3;stroke-dasharray:7 4}.way marker path,.way circle{fill:var(--way)}
.way text{fill:var(--paper);font-weight:bold}.way .words{fill:var(--way)}
"""


def picture_svg(plan: Plan, way: Way = NOWHERE) -> str:
    """The picture of a lab, with the way of a packet on it."""
    placed = layout(plan)
    width, height = number(placed.width), number(placed.height + (_LEGEND if way.words else 0))
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width} {height}",
        "width": width,
        "height": height,
        "role": "img",
        "aria-labelledby": "title",
        "aria-describedby": "desc",
    }
    root = xml.Element("svg", attributes)
    _add(root, "title", plain(plan.name), id="title")
    _add(root, "desc", plain(described(plan, placed)), id="desc")
    _add(root, "style", _STYLE)
    _add(root, "rect", **{"class": "paper"}, width=width, height=height, rx="10")
    nics = {nic.point: nic for nic in plan.nics()}
    links = [_link(root, link, nics, small=placed.small) for link in placed.links]
    if not placed.small:
        clear(links, map(_edges, placed.nodes))
    for node in placed.nodes:
        services = [one for one in placed.services if one.node == node.name]
        _node(root, node, services)
    if way.words:
        _way(root, way, placed)
    xml.indent(root, " ")
    return xml.tostring(root, encoding="unicode") + "\n"


def described(plan: Plan, placed: Layout) -> str:
    """The picture in words, for who can't see it."""
    said = f"{plan.description}. " if plan.description else ""
    kinds = f"{len(placed.nodes)} nodes and {len(placed.links)} links: "
    links = (f"{', '.join(str(end.point) for end in one.ends)}" for one in placed.links)
    return f"{said}{kinds}{'; '.join(links)}."


def _link(root: xml.Element, link: PlacedLink, nics: dict[Point, Nic], *, small: bool) -> xml.Element:
    group = _add(root, "g", **{"class": "link"})
    ends = " – ".join(f"{end.point} {' '.join(label(nics[end.point])[1:])}".strip() for end in link.ends)
    _add(group, "title", plain(f"{link.name} {' '.join(link.prefixes)}: {ends}"))
    for end in link.ends:
        _add(group, "path", d=end.path)
    if link.bridge:
        _add(group, "circle", cx=number(link.x), cy=number(link.y), r="5")
    if small:
        return group
    for end in link.ends:
        _end(group, end, label(nics[end.point]))
    _words(group, link)
    return group


def _end(group: xml.Element, end: PlacedEnd, words: Sequence[str]) -> None:
    """A NIC's name and addresses where its link begins; the name, which is shorter, on the side that the link bends to."""
    if end.side in ("top", "bottom"):
        name, *addresses = words
        lines = [" ".join([name, *addresses[:1]]), *addresses[1:]]
        first = end.y + 14 if end.side == "bottom" else end.y - 6 - LABEL_LINE * (len(lines) - 1)
        _lines(group, (end.x + 9, first), lines, "start")
        return
    x, anchor = (end.x + 8, "start") if end.side == "right" else (end.x - 8, "end")
    above, below = (words[1:], words[:1]) if end.bends > 0 else (words[:1], words[1:])
    first = end.y - 5 - LABEL_LINE * (len(above) - 1)
    _lines(group, (x, first), above, anchor, named=end.bends <= 0)
    _lines(group, (x, end.y + 12), below, anchor, named=end.bends > 0)


def _lines(
    group: xml.Element, at: tuple[float, float], lines: Sequence[str], anchor: str, *, named: bool = True
) -> None:
    """Lines of text below each other; the first one is a NIC's name, or begins with it."""
    for turn, line in enumerate(lines):
        attributes = {"x": number(at[0]), "y": number(at[1] + LABEL_LINE * turn)}
        if anchor != "start":
            attributes["text-anchor"] = anchor
        text = _add(group, "text", None, **attributes)
        name, _, rest = line.partition(" ")
        if named and turn == 0:
            _add(text, "tspan", plain(name), **{"class": "nic"}).tail = plain(f" {rest}") if rest else None
        else:
            text.text = plain(line)


def _words(group: xml.Element, link: PlacedLink) -> None:
    """A link's words at its middle: beside it where it runs down, above it where it is level, on it where it bends."""
    upright = any(end.side in ("top", "bottom") for end in link.ends) and not link.bridge
    level = all(abs(end.y - link.y) < 1 for end in link.ends)
    count = len(link.words)
    first = -5 - LABEL_LINE * (count - 1) if level or link.bridge else 4 - LABEL_LINE * (count - 1) / 2
    for turn, word in enumerate(link.words):
        attributes = {
            "class": "prefix",
            "x": number(link.x + 9 if upright else link.x),
            "y": number(link.y + first + LABEL_LINE * turn - (4 if link.bridge else 0)),
            "text-anchor": "start" if upright else "middle",
        }
        _add(group, "text", plain(word), **attributes)


def _edges(node: PlacedNode) -> Box:
    wide, high = node.width / 2, node.height / 2
    return node.x - wide, node.y - high, node.x + wide, node.y + high


def _node(root: xml.Element, node: PlacedNode, services: Sequence[PlacedService]) -> None:
    group = _add(root, "g", **{"class": "node"}, style=f"--role:var(--{node.role})")
    _add(group, "title", plain(f"{node.name} ({node.role})"))
    left, top = node.x - node.width / 2, node.y - node.height / 2
    box = {"x": left, "y": top, "width": node.width, "height": node.height}
    _add(group, "rect", **{key: number(value) for key, value in box.items()}, rx="7")
    middle = top + HEAD / 2 + (1 if node.lines or services else 2)
    where = f"translate({number(left + PAD + 9)} {number(middle)})"
    _add(group, "path", **{"class": "icon"}, transform=where, d=ICONS.get(node.role, ICONS["router"]))
    name = {"class": "name", "x": number(left + PAD + 24), "y": number(middle + 5)}
    _add(group, "text", plain(node.name), **name)
    for turn, line in enumerate(node.lines):
        _line(group, line, left + PAD, top + HEAD + LINE * (turn + 0.75))
    for service in services:
        _service(group, service)


def _way(root: xml.Element, way: Way, placed: Layout) -> None:
    """A dashed line with an arrow in the middle of each link, and the number of each step where it begins."""
    ends = {end.point: end for link in placed.links for end in link.ends}
    group = _add(root, "g", **{"class": "way"})
    marker = {
        "id": "arrow",
        "viewBox": "-8 -5 9 10",
        "markerWidth": "5",
        "markerHeight": "5",
        "orient": "auto",
    }
    _add(_add(group, "marker", **marker), "path", d="M-8,-5L1,0L-8,5Z")
    for start, stop in way.steps:
        if start in ends and stop in ends:
            _add(group, "path", **{"class": "step"}, d=ends[start].path, **{"marker-end": "url(#arrow)"})
            _add(group, "path", **{"class": "step"}, d=ends[stop].path)
    for turn, (start, _) in enumerate(way.steps, 1):
        if start in ends:
            x, y = ends[start].x, ends[start].y
            _add(group, "circle", cx=number(x), cy=number(y), r="7.5")
            _add(group, "text", str(turn), x=number(x), y=number(y + 4), **{"text-anchor": "middle"})
    where = {"x": number(MARGIN), "y": number(placed.height + 8)}
    _add(group, "text", plain(way.words), **{"class": "words"}, **where)


def _line(group: xml.Element, line: CardLine, x: float, y: float) -> None:
    text = _add(group, "text", None, **{"class": line.kind, "x": number(x), "y": number(y)})
    if line.kind == "sid" and " " in line.text:
        sid, _, behavior = line.text.partition(" ")
        text.text = plain(f"{sid} ")
        _add(text, "tspan", plain(behavior), **{"class": "behavior"}, style="font-weight:normal")
    else:
        indent = len(line.text) - len(line.text.lstrip())
        text.set("x", number(x + indent * CHARACTER))
        text.text = plain(line.text.lstrip())


def _service(group: xml.Element, service: PlacedService) -> None:
    chip = _add(group, "g", **{"class": "service"})
    left, top = service.x - service.width / 2, service.y - service.height / 2
    box = {"x": left, "y": top, "width": service.width, "height": service.height}
    _add(chip, "rect", **{key: number(value) for key, value in box.items()}, rx="9")
    middle = {"x": number(service.x), "y": number(service.y + 4), "text-anchor": "middle"}
    _add(chip, "text", plain(service.text), **middle)


def _add(parent: xml.Element, tag: str, text: str | None = None, **attributes: str) -> xml.Element:
    element = xml.SubElement(parent, tag, attributes)
    element.text = text
    return element
