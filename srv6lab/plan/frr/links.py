"""The links of a node as routing protocols see them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from srv6lab.topology.model import Link, Topology
from srv6lab.topology.scalars import Address


def far_ends(topology: Topology, name: str, other: str) -> Iterator[Address]:
    """The addresses of another node on the links to it."""
    for link, _ in links_of(topology, name):
        for end, one in enumerate(link.endpoints):
            if one.node == other and (address := link.address(end)):
                yield address


def links_of(topology: Topology, name: str) -> tuple[tuple[Link, int], ...]:
    """The links of a node, each with the index of its own end."""
    if _last.links is not topology.links:
        _last.of_nodes = _links_by_node(topology.links)
        _last.links = topology.links
    return _last.of_nodes.get(name, ())


def _links_by_node(links: tuple[Link, ...]) -> dict[str, tuple[tuple[Link, int], ...]]:
    found: dict[str, list[tuple[Link, int]]] = {}
    for link in links:
        for end, one in enumerate(link.endpoints):
            found.setdefault(one.node, []).append((link, end))
    return {name: tuple(ends) for name, ends in found.items()}


class _Last(threading.local):
    """The links of the topology that was asked for last, by node: each node of a large lab asks several times."""

    links: tuple[Link, ...] | None = None
    of_nodes: Mapping[str, tuple[tuple[Link, int], ...]] = MappingProxyType({})


_last = _Last()
