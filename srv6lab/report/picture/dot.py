"""A lab's picture for Graphviz, which lays it out itself: `| dot -Tpdf`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.report.quoting import dot

from .cards import card, chip, small
from .groups import groups
from .network import links
from .ways import NOWHERE, Way
from .wiring import label, prefixes

_LOOKS: Mapping[str, str] = {
    "host": 'shape=box, color="#52606d"',
    "router": 'shape=box, style=rounded, color="#1d5fa8"',
    "sr-proxy": 'shape=hexagon, color="#b04a00"',
    "service": 'shape=cylinder, color="#7a3aa8"',
}


def picture_dot(plan: Plan, way: Way = NOWHERE) -> str:
    """The graph of a lab; the links of a way are dashed."""
    return "\n".join(_lines(plan, way)) + "\n"


def _lines(plan: Plan, way: Way) -> Iterator[str]:
    yield f"graph {dot(plan.name)} {{"
    yield f"  graph [rankdir=LR, nodesep=0.6, ranksep=1.6, fontname=Helvetica, tooltip={dot(plan.description)}]"
    yield "  node [fontname=Helvetica, fontsize=11]"
    yield "  edge [fontname=Courier, fontsize=9]"
    framed = groups(plan)
    inside = {node for nodes in framed.values() for node in nodes}
    yield from (f"  {_node(node, small=small(plan))}" for node in plan.nodes if node.name not in inside)
    for number, (name, nodes) in enumerate(framed.items(), 1):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={dot(name)}"
        yield from (f"    {_node(plan.node(one), small=small(plan))}" for one in nodes)
        yield "  }"
    for node in plan.nodes:
        for number, service in enumerate(node.services, 1):
            name = dot(f"{node.name} {number}")
            yield f"  {name} [shape=note, label={dot(chip(service))}]"
            yield f"  {dot(node.name)} -- {name} [style=dashed]"
    over = way.links(plan)
    for name, nics in links(plan).items():
        look = ', style=dashed, color="#c2185b", penwidth=2' if name in over else ""
        yield from (f"  {line}" for line in _link(name, nics, look, small=small(plan)))
    yield "}"


def _node(node: PlannedNode, *, small: bool) -> str:
    lines = [node.name, *(line.text.strip() for line in card(node, small=small).lines)]
    return f"{dot(node.name)} [{_LOOKS[node.role]}, label={_lined(lines)}]"


def _link(name: str, nics: Sequence[Nic], look: str, *, small: bool) -> Iterator[str]:
    ends = ["" if small else _lined(label(nic)) for nic in nics]
    if len(nics) == 2:
        one, other = nics
        words = "" if small else f", label={_lined(prefixes(nics))}, taillabel={ends[0]}, headlabel={ends[1]}"
        yield f"{dot(one.point.node)} -- {dot(other.point.node)} [edgetooltip={dot(name)}{words}{look}]"
        return
    hub = dot(f"link {name}")
    yield f"{hub} [shape=circle, label={_lined([name, *prefixes(nics)])}]"
    for nic, end in zip(nics, ends, strict=True):
        words = "" if small else f", taillabel={end}"
        yield f"{dot(nic.point.node)} -- {hub} [edgetooltip={dot(name)}{words}{look}]"


def _lined(lines: Sequence[str]) -> str:
    """A string with ends of lines in it, which `dot` alone would take for a backslash and an n."""
    return '"' + r"\n".join(dot(line)[1:-1] for line in lines) + '"'
