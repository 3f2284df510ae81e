"""The SR database of a headend (RFC 9256 section 3): what it knows of nodes, links and SIDs.

A value: whoever learns something new makes another. It holds what is up; what is down isn't in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Union

from .identity import Address, within

Network = Union[IPv4Network, IPv6Network]

SHORTEST, STRICT_SHORTEST = 0, 1  # SR algorithms (RFC 8402 section 3.1.1)
MOST_METRIC = 2**24 - 1  # wide metrics (RFC 5305 section 3.7); delays in microseconds (RFC 8570 section 4.1)


@dataclass(frozen=True)
class Node:
    """A node and the prefixes that come from it: its locators, loopbacks and whatever else it announces."""

    name: str
    prefixes: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Link:
    """An adjacency, from one node to a neighbor: a cable is two of them.

    Metrics and `delay`, which is in microseconds, are from 1 on. `affinities` are the names of
    administrative groups, `srlgs` the numbers of shared risk link groups.
    """

    node: str
    neighbor: str
    local: Address
    remote: Address
    interface: int = 0
    remote_interface: int = 0
    igp_metric: int = 10
    te_metric: int = 10
    delay: int = 10
    affinities: frozenset[str] = frozenset()
    srlgs: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for what, number in (
            ("an IGP metric", self.igp_metric),
            ("a TE metric", self.te_metric),
            ("a delay", self.delay),
        ):
            within(what, number, 1, MOST_METRIC)

    def __str__(self) -> str:
        return f"{self.node} to {self.neighbor}"


@dataclass(frozen=True)
class KnownSid:
    """A SID, the node that owns it, its behavior, its SR algorithm, and the link of one that leads over one."""

    sid: IPv6Address
    node: str
    behavior: str = "End"
    algorithm: int = SHORTEST
    link: Link | None = None


@dataclass(frozen=True)
class SrDb:
    """All that a headend knows. Of SIDs that serve one purpose alike, the first is used."""

    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
    sids: tuple[KnownSid, ...] = ()

    @cached_property
    def by_sid(self) -> Mapping[IPv6Address, KnownSid]:
        return {known.sid: known for known in reversed(self.sids)}

    def owner(self, address: Address) -> str | None:
        """The node that has an address on a link, or else the longest prefix for it; None if nobody has."""
        for link in self.links:
            if link.local == address:
                return link.node
        found = [(one.prefixlen, node.name) for node in self.nodes for one in node.prefixes if address in one]
        return max(found, key=lambda pair: pair[0])[1] if found else None

    def node_sid(self, node: str, algorithm: int | None = None) -> KnownSid | None:
        """The SID that leads to a node: an End of it. Of an algorithm if one is given, else of strict shortest
        paths if it has one, else of shortest paths (section 4)."""
        own = [known for known in self.sids if known.node == node and known.behavior == "End"]
        return _of_algorithm(own, algorithm)

    def link_sid(self, link: Link, algorithm: int | None = None) -> KnownSid | None:
        """The SID that leads over a link: an End.X of it."""
        own = [known for known in self.sids if known.link == link and known.behavior == "End.X"]
        return _of_algorithm(own, algorithm)


def _of_algorithm(found: Sequence[KnownSid], algorithm: int | None) -> KnownSid | None:
    wanted = (STRICT_SHORTEST, SHORTEST) if algorithm is None else (algorithm,)
    return next((known for number in wanted for known in found if known.algorithm == number), None)
