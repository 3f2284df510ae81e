"""`r[1-20]` stands for twenty: as a node's key, and in the items of some lists.

The ranges of one item go side by side, so `["r[1-19]:eth2", "r[2-20]:eth1"]` are nineteen links. `{n}` in it is the
number of its first range, but for what a node says, a route for instance: there it is the node's. Nothing is multiplied:
who wants each with each, writes a line for each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from srv6lab.topology.large.texts import FREE, NUMBER, filled, put
from srv6lab.topology.yaml.edit import Problems, children, entries, mapping, sequence
from srv6lab.topology.yaml.tree import Mark, Node

MOST = 4_000  # numbers of one range, and nodes of a lab
_MOST_PARTS = 600_000  # values of the items that ranges make
RANGE = re.compile(r"\[([0-9]{1,12})-([0-9]{1,12})\]")
# The lists whose items may have ranges.
_LISTS = "links local_sids steering policies routes rules members neighbors probes packets apply"
LISTS = frozenset(_LISTS.split())
_OF_NODES = ("nodes", "groups")
_Found = tuple[Mark, re.Match[str]]  # where the text stands, and the range in it


def with_ranges(root: Node, problems: Problems) -> Node:
    """The file with an item for each number of a range in the items of LISTS."""
    spreader = _Spreader(problems)
    found = [
        (key, mark, spreader.within(value, key, key not in _OF_NODES)) for key, mark, value in entries(root)
    ]
    same = all(value is root.children[key] for key, _, value in found)
    return root if same else mapping(root.mark, found)


def size_of(found: re.Match[str], mark: Mark, problems: Problems) -> int:
    """How many numbers a range has."""
    first, last = int(found[1]), int(found[2])
    if last < first:
        problems.stop(mark, f"{found.group()} ends before it begins", f"write [{last}-{first}]")
    if last - first >= MOST:
        what = f"{found.group()} are {last - first + 1:,} numbers"
        problems.stop(mark, what, f"give at most {MOST:,}")
    return last - first + 1


def nth(text: str, index: int, values: dict[str, Any]) -> Any:
    """The text with a number in the place of each range, and values in the places of their names."""
    if whole := RANGE.fullmatch(text):
        return int(whole[1]) + index
    return put(RANGE.sub(lambda found: _number(found[1], index), text), values)


def _number(first: str, index: int) -> str:
    """As wide as the range says: `r[01-20]` begins with r01."""
    return str(int(first) + index).zfill(len(first) if first.startswith("0") else 0)


class _Spreader:
    """Counts what it makes, so that a short file doesn't make a huge one."""

    def __init__(self, problems: Problems) -> None:
        self.problems, self.parts = problems, 0

    def within(self, node: Node, key: str, numbered: bool) -> Node:
        """A value with its lists at their whole length, `{n}` in their items as a number if that is asked for; the same
        node where that changes nothing."""
        if isinstance(node.children, dict):
            items = [(name, mark, self.within(value, name, numbered)) for name, mark, value in entries(node)]
            same = all(one[2] is two for one, (_, two) in zip(items, children(node), strict=True))
            return node if same else mapping(node.mark, items, node.origin)
        if not isinstance(node.children, list):
            return node
        if key in LISTS:
            found = [copy for one in node.children for copy in self._copies(one, numbered)]
        else:
            found = [self.within(one, "", numbered) for one in node.children]
        same = len(found) == len(node.children) and all(map(_is, found, node.children))
        return node if same else sequence(node.mark, found, node.origin)

    def _copies(self, item: Node, numbered: bool) -> Iterator[Node]:
        """The item once for each number of its ranges."""
        ranges = [*_ranges(item)]
        if not ranges:
            yield item
            return
        size, first = self._size(ranges), ranges[0][1]
        self._count(item, size)
        for index in range(size):
            values = {NUMBER: int(first[1]) + index} if numbered else {}
            copy = filled(item, partial(_nth_or_free, index, values))
            copy.origin = f"{nth(first.string, index, values)}, from {first.string}"
            yield copy

    def _size(self, ranges: list[_Found]) -> int:
        mark, first = ranges[0]
        size = size_of(first, mark, self.problems)
        for mark, found in ranges:
            if (other := size_of(found, mark, self.problems)) != size:
                what = f"{found.group()} has {other} numbers, and {first.group()} beside it has {size}"
                self.problems.stop(mark, what, "ranges of one item go side by side: give as many")
        return size

    def _count(self, item: Node, size: int) -> None:
        self.parts += size * sum(1 for _ in _parts(item))
        if self.parts > _MOST_PARTS:
            what = f"with this range the lab has more than {_MOST_PARTS:,} values"
            self.problems.stop(item.mark, what, "a lab needs far less; check the ranges")


def _nth_or_free(index: int, values: dict[str, Any], _: Node, text: str, free: bool) -> Any:
    return put(text, values, free=True) if free else nth(text, index, values)


def _is(one: Node, other: Node) -> bool:
    return one is other


def _parts(node: Node, key: str = "", mark: Mark = (0, 0)) -> Iterator[tuple[str, Node]]:
    """Every value of a tree, with the nearest key around it."""
    yield key, node
    for name, below in children(node):
        yield from _parts(below, name if isinstance(name, str) else key)


def _ranges(item: Node) -> Iterator[_Found]:
    """The ranges in an item, in the order of its texts."""
    for key, node in _parts(item):
        if key in FREE:
            continue
        if isinstance(node.data, str):
            yield from ((node.mark, found) for found in RANGE.finditer(node.data))
        for name, mark, _ in entries(node):
            yield from ((mark, found) for found in RANGE.finditer(name))
