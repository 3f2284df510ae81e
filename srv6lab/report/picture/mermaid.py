"""A lab's picture as a Mermaid flowchart, as GitHub and GitLab draw it from a block of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.report.quoting import mermaid_label

from .cards import card, chip, small
from .groups import groups
from .network import links
from .ways import NOWHERE, Way
from .wiring import label, prefixes

# What stands around a label makes the shape: round, a box, a hexagon, a cylinder.
_SHAPES: Mapping[str, tuple[str, str]] = {
    "host": ("([", "])"),
    "router": ("[", "]"),
    "sr-proxy": ("{{", "}}"),
    "service": ("[(", ")]"),
}
_COLORS = {"host": "#52606d", "router": "#1d5fa8", "sr-proxy": "#b04a00", "service": "#7a3aa8"}


def picture_mermaid(plan: Plan, way: Way = NOWHERE) -> str:
    """The flowchart of a lab; the links of a way are dashed. What hosts and services are is their shape."""
    return "\n".join(_lines(plan, way)) + "\n"


def _lines(plan: Plan, way: Way) -> Iterator[str]:
    # Mermaid would read some names as words of its own.
    names = {node.name: f"n{number}" for number, node in enumerate(plan.nodes, 1)}
    yield "flowchart LR"
    framed = groups(plan)
    inside = {node for nodes in framed.values() for node in nodes}
    for node in plan.nodes:
        if node.name not in inside:
            yield f"  {_node(node, names[node.name], small=small(plan))}"
    for number, (name, nodes) in enumerate(framed.items(), 1):
        yield f'  subgraph g{number}["{mermaid_label(name)}"]'
        yield from (f"    {_node(plan.node(one), names[one], small=small(plan))}" for one in nodes)
        yield "  end"
    yield from _services(plan, names)
    over = way.links(plan)
    for number, (name, nics) in enumerate(links(plan).items(), 1):
        line = "-.-" if name in over else "---"
        yield from _link(nics, line, _Names(names, f"b{number}", name), small=small(plan))
    for role in dict.fromkeys(node.role for node in plan.nodes):
        yield f"  classDef {role} stroke:{_COLORS[role]},stroke-width:2px"


def _node(node: PlannedNode, name: str, *, small: bool) -> str:
    before, after = _SHAPES[node.role]
    text = _text([node.name, *(line.text.strip() for line in card(node, small=small).lines)])
    return f"{name}{before}{text}{after}:::{node.role}"


def _services(plan: Plan, names: Mapping[str, str]) -> Iterator[str]:
    number = 0
    for node in plan.nodes:
        for service in node.services:
            number += 1
            yield f"  s{number}>{_text([chip(service)])}]"
            yield f"  {names[node.name]} -.- s{number}"


@dataclass(frozen=True, slots=True)
class _Names:
    """What nodes and the hub of a bridge are called here, and what the link is."""

    nodes: Mapping[str, str]
    hub: str
    link: str


def _link(nics: Sequence[Nic], line: str, names: _Names, *, small: bool) -> Iterator[str]:
    ends = [" ".join(label(nic)) for nic in nics]
    if len(nics) == 2:
        one, other = (names.nodes[nic.point.node] for nic in nics)
        text = "" if small else f"|{_text([ends[0], *prefixes(nics), ends[1]])}|"
        yield f"  {one} {line}{text} {other}"
        return
    yield f"  {names.hub}(({_text([names.link, *prefixes(nics)])}))"
    for nic, end in zip(nics, ends, strict=True):
        text = "" if small else f"|{_text([end])}|"
        yield f"  {names.nodes[nic.point.node]} {line}{text} {names.hub}"


def _text(lines: Sequence[str]) -> str:
    return '"' + "<br/>".join(map(mermaid_label, lines)) + '"'
