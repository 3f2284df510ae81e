"""Short links: `- r1 - r2`, and what a link doesn't say of its ends.

An end without a NIC gets its node's next free ethN, in the order of the file. A link without a name has those of its
nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from srv6lab.topology.yaml.edit import Problems, child, entries, mapping, scalar, sequence
from srv6lab.topology.yaml.tree import Mark, Node

SHORT = re.compile(r"^(\S+) +- +(\S+)$")
_NODE = re.compile(r"[A-Za-z][\w-]*")
_LONGEST = 31  # characters of a name


def with_whole_links(root: Node, problems: Problems) -> Node:
    """The file with a name for each link, and a NIC for each end."""
    links = child(root, "links")
    if links is None or not isinstance(links.children, list):
        return root
    spelled = [_spelled(one, problems) for one in links.children]
    nics, names = _Nics(spelled), _Names(spelled)
    found = [names.named(nics.numbered(one)) for one in spelled]
    if all(one is two for one, two in zip(found, links.children, strict=True)):
        return root
    whole = sequence(links.mark, found)
    return mapping(root.mark, ((k, mark, whole if k == "links" else v) for k, mark, v in entries(root)))


def _spelled(link: Node, problems: Problems) -> Node:
    """`r1 - r2` as a mapping."""
    if not isinstance(link.data, str):
        return link
    found = SHORT.match(link.data)
    if found is None:
        problems.say(
            link.mark, f"`{link.data[:60]}` is no link", "write `- r1 - r2`, or a mapping with `endpoints`"
        )
        return link
    ends = sequence(link.mark, (scalar(link.mark, one) for one in found.groups()))
    return mapping(link.mark, [("endpoints", link.mark, ends)], link.origin)


def ends_of(link: Node) -> list[str]:
    """The texts of a link's ends, as far as they are texts."""
    ends = child(link, "endpoints")
    items = ends.children if ends and isinstance(ends.children, list) else []
    found = [child(end, "at") if isinstance(end.data, dict) else end for end in items]
    return [end.data for end in found if end is not None and isinstance(end.data, str)]


class _Nics:
    """Gives each end without a NIC the next one that its node has free."""

    def __init__(self, links: list[Node]) -> None:
        self.taken = {end for link in links for end in ends_of(link)}
        self.next: dict[str, Iterator[int]] = {}

    def numbered(self, link: Node) -> Node:
        if all(":" in end for end in ends_of(link)):
            return link
        ends = child(link, "endpoints")
        return (
            _with(link, "endpoints", ends.mark, sequence(ends.mark, map(self._end, ends.children)))
            if ends
            else link
        )

    def _end(self, end: Node) -> Node:
        if isinstance(end.data, dict):
            at = child(end, "at")
            return end if at is None else _with(end, "at", at.mark, self._end(at))
        if not isinstance(end.data, str) or ":" in end.data or not _NODE.fullmatch(end.data):
            return end
        numbers = self.next.setdefault(end.data, count(1))
        nic = next(nic for number in numbers if (nic := f"{end.data}:eth{number}") not in self.taken)
        return scalar(end.mark, nic)


class _Names:
    """Gives each link without a name those of its nodes, and a number if that isn't the first such link."""

    def __init__(self, links: list[Node]) -> None:
        self.taken = {
            name
            for link in links
            if isinstance(link.data, dict) and isinstance(name := link.data.get("name"), str)
        }
        self.number = 0

    def named(self, link: Node) -> Node:
        self.number += 1
        nodes = [end.partition(":")[0] for end in ends_of(link)]
        if not isinstance(link.data, dict) or "name" in link.data or len(nodes) < 2:
            return link
        name = self._free("-".join(nodes))
        self.taken.add(name)
        return _with(link, "name", link.mark, scalar(link.mark, name))

    def _free(self, name: str) -> str:
        if len(name) > _LONGEST - 3:
            name = f"link-{self.number}"
        if name not in self.taken:
            return name
        return next(one for number in count(2) if (one := f"{name}-{number}") not in self.taken)


def _with(node: Node, key: str, mark: Mark, value: Node) -> Node:
    """A mapping with another value for a key."""
    found = {name: (where, one) for name, where, one in entries(node)}
    found[key] = found[key][0] if key in found else mark, value
    return mapping(node.mark, ((name, *one) for name, one in found.items()), node.origin)
