"""What stands in `{…}` in a text: `{core_mtu}` for a value of `vars`, and `{n}` for a number of a range."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from srv6lab.suggest import or_all
from srv6lab.topology.yaml.edit import Problems, child, children, entries, mapping, sequence
from srv6lab.topology.yaml.tree import Mark, Node

NUMBER = "n"
# `$` before it is a shell's. Elsewhere than in FREE texts `{word}` is nothing that the model takes.
HOLE = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")
FREE = frozenset({"description", "commands", "secret"})
_LONGEST = 200  # characters of a value
_KEPT = ("vars", "include")

Fill = Callable[[Node, str, bool], Any]  # a text's node, the text, whether it is free → the value


def with_vars(root: Node, problems: Problems) -> Node:
    """The file with the values of `vars` in the places of their names."""
    said = child(root, "vars")
    values: dict[str, Any] = {}
    for key, mark, value in entries(said):
        if key == NUMBER:
            problems.say(mark, "{n} is the number of a range", "take another name")
        elif isinstance(value.data, str) and (HOLE.search(value.data) or len(value.data) > _LONGEST):
            what = f"the value of `{key}` has a name in braces, or more than {_LONGEST} characters"
            problems.say(value.mark, what, "write the value itself")
        elif isinstance(value.data, (str, int)):
            values[key] = value.data

    def fill(node: Node, text: str, free: bool) -> Any:
        for name in HOLE.findall(text):
            if name in values or name == NUMBER or free:
                continue
            if place := child(said, name):
                what = f"the variable {name} has no value that can stand in a text"
                problems.say(node.mark, what, f"mend it in line {problems.source.at(place.mark).line}")
            else:
                mend = or_all(name, values) if values else f"write it under `vars: {{{name}: …}}`"
                problems.say(node.mark, f"no variable is called {name}", mend)
        return put(text, values, free=free)

    kept = {key: filled(value, fill, key) for key, _, value in entries(root) if key not in _KEPT}
    _say_twice(root, values, problems)
    _say_bare(root, {*values, NUMBER}, problems)
    found = ((key, mark, kept.get(key, value)) for key, mark, value in entries(root))
    return mapping(root.mark, found) if any(kept[k] is not root.children[k] for k in kept) else root


def put(text: str, values: Mapping[str, Any], *, free: bool = False) -> Any:
    """The text with values for the names in it; the value itself if the text is no more than a name, and not `free`."""
    if not free and (whole := HOLE.fullmatch(text)) and whole[1] in values:
        return values[whole[1]]
    return HOLE.sub(lambda found: _text(values.get(found[1], found[0])), text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def filled(node: Node, fill: Fill, key: str = "") -> Node:
    """The tree with what `fill` makes of its texts; where that changes nothing, the same node."""
    if isinstance(node.data, str):
        value = fill(node, node.data, key in FREE)
        return (
            node if value is node.data or value == node.data else Node(node.mark, value, origin=node.origin)
        )
    if isinstance(node.children, list):
        items = [filled(one, fill, key) for one in node.children]
        same = all(one is two for one, two in zip(items, node.children, strict=True))
        return node if same else sequence(node.mark, items, node.origin)
    if isinstance(node.children, dict):
        free = key in FREE
        found = [
            (str(fill(Node(mark, name), name, free)), mark, filled(value, fill, name if not free else key))
            for name, mark, value in entries(node)
        ]
        same = all(
            one[0] == name and one[2] is two for one, (name, two) in zip(found, children(node), strict=True)
        )
        return node if same else mapping(node.mark, found, node.origin)
    return node


def _say_bare(root: Node, names: set[str], problems: Problems) -> None:
    """`mtu: {core_mtu}` without quotes is a mapping to YAML."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        for _, value in children(node):
            waiting.append(value)
            if isinstance(value.data, dict) and len(value.data) == 1:
                ((name, below),) = value.data.items()
                if below is None and name in names:
                    what = f"YAML reads {{{name}}} without quotes as a mapping"
                    problems.say(value.mark, what, f'write "{{{name}}}"')


def _say_twice(root: Node, values: Mapping[str, Any], problems: Problems) -> None:
    """Two keys of a mapping that values make one."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting += [value for _, value in children(node)]
        first: dict[str, Mark] = {}
        for key, mark, _ in entries(node):
            name = str(put(key, values))
            if name in first:
                line = problems.source.at(first[name]).line
                problems.say(
                    mark, f"the key `{name}` is here twice, first in line {line}", "keep one of the two"
                )
            first.setdefault(name, mark)


def without_numbers(root: Node, problems: Problems) -> Node:
    """Says where `{n}` is left over: it stands in no range."""

    def fill(node: Node, text: str, free: bool) -> str:
        if not free and NUMBER in HOLE.findall(text):
            mend = "give a range, such as r[1-20]; for a node, a number at the end of its name does, too"
            problems.say(node.mark, "{n} stands for the number of a range, and here is none", mend)
        return text

    for key, _, value in entries(root):
        if key not in _KEPT:
            filled(value, fill, key)
    return root
