"""The links of a node as routing protocols see them."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.model import Link, Topology
from srv6lab.topology.scalars import Address


def far_ends(topology: Topology, name: str, other: str) -> Iterator[Address]:
    """The addresses of another node on the links to it."""
    for link, _ in links_of(topology, name):
        for end, one in enumerate(link.endpoints):
            if one.node == other and (address := link.address(end)):
                yield address


def links_of(topology: Topology, name: str) -> Iterator[tuple[Link, int]]:
    """The links of a node, each with the index of its own end."""
    for link in topology.links:
        yield from ((link, end) for end, one in enumerate(link.endpoints) if one.node == name)
