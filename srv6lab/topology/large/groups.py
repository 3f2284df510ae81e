"""Nodes by ranges, and what groups say of their members.

A group has the keys of a node. What a node says goes first, then what its range says, then its groups; mappings are
merged key by key. `{n}` is the number of the node: of the range that it is from, else the one at the end of its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from srv6lab.topology.large.ranges import MOST, RANGE, nth, size_of
from srv6lab.topology.large.texts import NUMBER, filled, put
from srv6lab.topology.model import Hardware
from srv6lab.topology.model import Node as NodeModel
from srv6lab.topology.yaml.edit import Problems, child, children, entries, mapping, merged
from srv6lab.topology.yaml.tree import Mark, Node

_SHARED = {field.alias or name for name, field in NodeModel.model_fields.items()} - {*Hardware.model_fields}
_LAST = re.compile("[0-9]+$")


@dataclass(slots=True)
class _Named:
    """A node of the file: its key's mark, what is said of it, the range that it is from, and its number."""

    mark: Mark
    said: Node
    range: str = ""
    number: int | None = None


def with_groups(root: Node, problems: Problems) -> Node:
    """The file with each node by its name and with all that is said of it; what groups keep is `members` and hardware."""
    nodes = child(root, "nodes")
    if nodes is None or not isinstance(nodes.data, dict):
        return root
    named = _by_name(nodes, problems)
    shared = _templates(child(root, "groups"), named, problems)
    found = [(name, one.mark, _whole(name, one, shared.get(name))) for name, one in named.items()]
    same = all(value is nodes.children.get(name) for name, _, value in found)
    changed = {"nodes": nodes if same else mapping(nodes.mark, found)}
    if groups := child(root, "groups"):
        changed["groups"] = _without_templates(groups)
    return mapping(root.mark, ((key, mark, changed.get(key, value)) for key, mark, value in entries(root)))


def _by_name(nodes: Node, problems: Problems) -> dict[str, _Named]:
    found: dict[str, _Named] = {}
    for key, mark, value in entries(nodes):
        for one, name in _each(key, mark, value, problems):
            other = found.get(name)
            if other and one.range and other.range:
                problems.stop(mark, f"{name} is also in {other.range}", "take it out of one of the two")
            if other:
                own, ranged = (one, other) if other.range else (other, one)
                one = _Named(own.mark, _over(own.said, ranged.said), ranged.range, ranged.number)
            found[name] = one
        if len(found) > MOST:
            problems.stop(mark, f"with {key} these are {len(found):,} nodes", f"a lab has at most {MOST:,}")
    return found


def _each(key: str, mark: Mark, value: Node, problems: Problems) -> Iterator[tuple[_Named, str]]:
    spans = [*RANGE.finditer(key)]
    if not spans:
        last = _LAST.search(key)
        yield _Named(mark, value, "", int(last[0][-12:]) if last else None), key
        return
    if len(spans) > 1:
        problems.stop(mark, f"{key} has two ranges", "give a node's name one, and write a line for each")
    for index in range(size_of(spans[0], mark, problems)):
        name = str(nth(key, index, {}))
        yield _Named(mark, value, key, int(spans[0][1]) + index), name


def _over(upper: Node, lower: Node) -> Node:
    """Of a node of which nothing more is said, the value may be left out."""
    if upper.data is None:
        return lower
    if isinstance(upper.data, dict) and isinstance(lower.data, dict):
        return merged(upper, lower)
    return upper


def _templates(groups: Node | None, named: dict[str, _Named], problems: Problems) -> dict[str, Node]:
    """What groups say of each node, together."""
    found: dict[str, Node] = {}
    for _, _, said in entries(groups):
        template = mapping(said.mark, (one for one in entries(said) if one[0] in _SHARED))
        for _, member in children(child(said, "members")):
            if isinstance(name := member.data, str) and name in named:
                clash = partial(_disagree, problems, name, named[name].said.data)
                found[name] = merged(template, found[name], clash=clash) if name in found else template
    return found


def _disagree(problems: Problems, name: str, own: Any, key: str, mark: Mark, one: Node, other: Node) -> None:
    """Groups have no order, so nothing says which of two goes first."""
    if not (isinstance(own, dict) and key in own):
        what = f"{name} is also in a group that says another `{key}` (line {problems.source.at(other.mark).line})"
        problems.say(mark, what, f"say it under nodes.{name}, or take {name} out of one of the two")


def _whole(name: str, one: _Named, shared: Node | None) -> Node:
    """All that is said of a node, with its number."""
    node = _over(one.said, shared) if shared else one.said
    if one.range and node.data is None:
        node = mapping(one.mark, ())
    values = {} if one.number is None else {NUMBER: one.number}
    node = filled(node, lambda _, text, free: put(text, values, free=free))
    origin = f"{name}, from {one.range}" if one.range else name if shared and node is not one.said else ""
    if not origin:
        return node
    return Node(node.mark, node.data, node.children, node.keys, origin=origin)


def _without_templates(groups: Node) -> Node:
    if not isinstance(groups.data, dict):
        return groups
    found = []
    for name, mark, group in entries(groups):
        kept = [one for one in entries(group) if one[0] not in _SHARED]
        same = not isinstance(group.data, dict) or len(kept) == len(group.data)
        found.append((name, mark, group if same else mapping(group.mark, kept)))
    return mapping(groups.mark, found)
