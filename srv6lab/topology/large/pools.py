"""Addresses from pools: each link without a prefix, and each router without a loopback or locator, gets the next one.

In the order of the file, so the same file gives the same addresses. The first subnet of a pool is left out, so that
numbers begin with 1, and so is all that the file itself gives to somebody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_network
from typing import Any

from srv6lab.topology.large.links import ends_of
from srv6lab.topology.model import Pools
from srv6lab.topology.scalars import Network
from srv6lab.topology.yaml.edit import Entry, Problems, child, children, entries, mapping, scalar, sequence
from srv6lab.topology.yaml.tree import Mark, Node

_FORWARDS = ("router", "sr-proxy")
_SUBNET = 64  # bits of an IPv6 link's prefix, and of a locator


class _Pool:
    """Hands out subnets of a prefix, and none that overlaps what is `taken`."""

    def __init__(self, prefix: Network, taken: Iterable[Network]) -> None:
        self.prefix, self.end = prefix, int(prefix.broadcast_address)
        self.at = int(prefix.network_address)
        inside = (one for one in taken if one.version == prefix.version and one.overlaps(prefix))
        self.spans = sorted(
            ((int(one.network_address), int(one.broadcast_address)) for one in inside), reverse=True
        )
        self.fresh = True

    def next(self, length: int) -> Network | None:
        """The next free subnet of that length, None if there is no more."""
        step = 1 << (self.prefix.max_prefixlen - length)
        if self.fresh:
            self.at, self.fresh = self.at + step, False
        self.at += -self.at % step
        while self.spans and self.spans[-1][0] < self.at + step:
            _, last = self.spans.pop()
            if last >= self.at:
                self.at = last + 1 + -(last + 1) % step
        start, self.at = self.at, self.at + step
        return type(self.prefix)((start, length)) if self.at - 1 <= self.end else None


def with_addresses(root: Node, problems: Problems) -> Node:
    """The file with what its pools give."""
    pools = {
        key: (value.mark, prefix)
        for key, _, value in entries(child(root, "pools"))
        if key in Pools.model_fields
        and (prefix := _prefix(value.data))
        and (key, prefix.version) != ("locators", 4)
    }
    if not pools:
        return root
    _apart(pools, problems)
    taken = [*_taken(root)]
    made = {key: _Pool(prefix, taken) for key, (_, prefix) in pools.items()}
    giver = _Giver(made, {key: mark for key, (mark, _) in pools.items()}, problems)
    changed = {"nodes": giver.nodes, "links": giver.links}
    return mapping(
        root.mark, ((k, mark, changed[k](v) if k in changed else v) for k, mark, v in entries(root))
    )


def _apart(pools: dict[str, tuple[Mark, Network]], problems: Problems) -> None:
    seen: list[tuple[str, Network]] = []
    for key, (mark, prefix) in pools.items():
        for name, other in seen:
            if prefix.version == other.version and prefix.overlaps(other):
                problems.stop(
                    mark,
                    f"the pool of {key} overlaps {other}, that of {name}",
                    "give each a prefix of its own",
                )
        seen.append((key, prefix))


def _prefix(value: Any) -> Network | None:
    try:
        return ip_network(value) if isinstance(value, str) else None
    except ValueError:
        return None


class _Giver:
    """Puts the next prefix of a pool where none is said; what a pool can't give is a problem of the pool."""

    def __init__(self, pools: dict[str, _Pool], marks: dict[str, Mark], problems: Problems) -> None:
        self.pools, self.marks, self.problems = pools, marks, problems

    def links(self, links: Node) -> Node:
        if "links" not in self.pools or not isinstance(links.children, list):
            return links
        return sequence(links.mark, map(self._link, links.children), links.origin)

    def _link(self, link: Node) -> Node:
        if not isinstance(link.data, dict) or "prefix" in link.data or len(ends_of(link)) < 2:
            return link
        hosts = len(ends_of(link)) + 2  # the first and the last address of an IPv4 prefix are no host's
        length = _SUBNET if self.pools["links"].prefix.version == 6 else 32 - (hosts - 1).bit_length()
        return mapping(
            link.mark, [*entries(link), *self._given("links", "prefix", length, link.mark)], link.origin
        )

    def nodes(self, nodes: Node) -> Node:
        found = ((name, mark, self._node(one)) for name, mark, one in entries(nodes))
        return mapping(nodes.mark, found, nodes.origin) if isinstance(nodes.data, dict) else nodes

    def _node(self, node: Node) -> Node:
        if not isinstance(node.data, dict) or node.data.get("role") not in _FORWARDS:
            return node
        more: list[Entry] = []
        if "locators" in self.pools and not {"locator", "locators"} & node.data.keys():
            more += self._given("locators", "locator", _SUBNET, node.mark)
        if "loopbacks" in self.pools and "loopback" not in node.data:
            more += self._given(
                "loopbacks", "loopback", self.pools["loopbacks"].prefix.max_prefixlen, node.mark
            )
        return mapping(node.mark, [*entries(node), *more], node.origin) if more else node

    def _given(self, pool: str, key: str, length: int, mark: Mark) -> list[Entry]:
        prefix = self.pools[pool].next(length)
        if prefix is None:
            where, room = self.marks[pool], self.pools[pool].prefix
            self.problems.stop(
                where, f"the pool {room} has no more prefix of /{length} for {pool}", "give a shorter prefix"
            )
        return [(key, mark, scalar(mark, str(prefix)))]


def _taken(root: Node) -> Iterator[Network]:
    """The prefixes that the file itself gives to links, nodes and ports of services."""
    said: list[Any] = [_at(link, "prefix") for _, link in children(child(root, "links"))]
    for _, node in children(child(root, "nodes")):
        said += [_at(node, "locator"), _at(node, "loopback")]
    for _, service in children(child(root, "services")):
        said += [_at(port, "prefix") for _, port in children(child(service, "ports"))]
    for one in said:
        for text in one if isinstance(one, list) else [one]:
            try:
                yield ip_network(text, strict=False) if isinstance(text, str) else ip_network("")
            except ValueError:
                continue


def _at(node: Node, key: str) -> Any:
    return node.data.get(key) if isinstance(node.data, dict) else None
