"""Trees are changed by building new ones: each part keeps the mark of what the author wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from srv6lab.errors import Problem, TopologyError
from srv6lab.topology.yaml.source import Source
from srv6lab.topology.yaml.tree import Mark, Node

Entry = tuple[str, Mark, Node]
Clash = Callable[[str, Mark, Node, Node], None]


class Problems(list[Problem]):
    """What is wrong, each at its place in the file."""

    def __init__(self, source: Source, problems: Iterable[Problem] = ()) -> None:
        super().__init__(problems)
        self.source = source

    def say(self, mark: Mark, what: str, mend: str) -> None:
        self.append(Problem(self.source.at(mark), what, mend))

    def stop(self, mark: Mark, what: str, mend: str) -> NoReturn:
        """Say it, where nothing sensible could be said of the rest of the file."""
        self.say(mark, what, mend)
        raise TopologyError(self)


def child(node: Node | None, key: str) -> Node | None:
    return node.children.get(key) if node and isinstance(node.children, dict) else None


def children(node: Node | None) -> Iterator[tuple[Any, Node]]:
    if node and isinstance(node.children, dict):
        yield from node.children.items()
    elif node and isinstance(node.children, list):
        yield from enumerate(node.children)


def entries(node: Node | None) -> Iterator[Entry]:
    """A mapping's keys, their marks, and their values."""
    if node and isinstance(node.children, dict):
        yield from ((key, node.keys[key], value) for key, value in node.children.items())


def mapping(mark: Mark, found: Iterable[Entry], origin: str = "") -> Node:
    node = Node(mark, {}, {}, origin=origin)
    for key, where, value in found:
        node.data[key], node.children[key], node.keys[key] = value.data, value, where
    return node


def sequence(mark: Mark, nodes: Iterable[Node], origin: str = "") -> Node:
    items = [*nodes]
    return Node(mark, [one.data for one in items], items, origin=origin)


def scalar(mark: Mark, value: Any) -> Node:
    return Node(mark, value)


def merged(upper: Node, lower: Node, *, joined: bool = False, clash: Clash | None = None) -> Node:
    """Two mappings as one. What `upper` says goes first, and `clash` is told where both say something; of lists that
    are `joined` the items of `lower` come first."""
    found = {key: (mark, value) for key, mark, value in entries(lower)}
    for key, mark, value in entries(upper):
        other = found[key][1] if key in found else None
        found[key] = mark, value if other is None else _both(key, mark, value, other, joined, clash)
    return mapping(upper.mark, ((key, *one) for key, one in found.items()), upper.origin)


def _both(key: str, mark: Mark, one: Node, other: Node, joined: bool, clash: Clash | None) -> Node:
    if isinstance(one.data, dict) and isinstance(other.data, dict):
        return merged(one, other, clash=clash)
    if joined and isinstance(one.data, list) and isinstance(other.data, list):
        return sequence(one.mark, [*other.children, *one.children])
    if clash and one.data != other.data:
        clash(key, mark, one, other)
    return one
