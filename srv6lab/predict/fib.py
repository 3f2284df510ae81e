"""Forwarding tables as values: longest prefix first, and what stands behind a prefix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

from srv6lab.evidence.packets import Address
from srv6lab.srv6.behaviors import Behavior
from srv6lab.srv6.encapsulation import Encapsulation
from srv6lab.srv6.results import LocalSid
from srv6lab.topology.scalars import Network

MAIN = 254
LOCAL = 255  # the node's own addresses


HEADENDS = {
    "encap": "H.Encaps",
    "encap.red": "H.Encaps.Red",
    "inline": "H.Insert",
    "l2encap": "H.Encaps.L2",
    "l2encap.red": "H.Encaps.L2.Red",
}


@dataclass(frozen=True, slots=True)
class Local:
    """An address of the node itself."""


@dataclass(frozen=True, slots=True)
class Link:
    """The prefix of a link: whoever has the address is a neighbor there."""

    nic: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Gateway:
    """A static route; several of one prefix share its flows by their weights."""

    next_hop: Address
    nic: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Sid:
    """A local SID with its behavior and that behavior's parameters; of a proxy's, `next_hop` is its service."""

    sid: IPv6Address
    behavior: Behavior
    local: LocalSid
    next_hop: Address | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Steer:
    """A headend's policy: `name` is the behavior that pushes, of RFC 8986 section 5."""

    name: str
    given: Encapsulation
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Blackhole:
    """A route that drops, and why it is there. One of a `kind` that says so tells the source (Linux's words)."""

    why: str
    kind: str = "blackhole"


NextHop = Local | Link | Gateway | Sid | Steer | Blackhole
Found = tuple[Network, tuple[NextHop, ...]]
Routes = Iterator[tuple[int | None, Network, tuple[NextHop, ...]]]  # by table: None is the main one


class Fib:
    """Prefixes of both families. Ways of one prefix share its flows."""

    def __init__(self, entries: Iterable[tuple[Network, tuple[NextHop, ...]]] = ()) -> None:
        self._lengths: dict[int, dict[int, dict[int, Found]]] = {4: {}, 6: {}}
        for prefix, ways in entries:
            self.put(prefix, ways)

    def put(self, prefix: Network, ways: tuple[NextHop, ...]) -> None:
        """As `ip route replace` does: what the prefix had before is gone."""
        lengths = self._lengths[prefix.version]
        if prefix.prefixlen not in lengths:
            lengths[prefix.prefixlen] = {}
            self._lengths[prefix.version] = dict(sorted(lengths.items(), reverse=True))
        by_bits = self._lengths[prefix.version][prefix.prefixlen]
        by_bits[_bits(prefix.network_address, prefix.prefixlen)] = (prefix, ways)

    def lookup(self, address: Address) -> Found | None:
        """The longest prefix that matches, with its ways."""
        whole = int(address)
        for length, by_bits in self._lengths[address.version].items():
            if found := by_bits.get(whole >> (address.max_prefixlen - length)):
                return found
        return None


def _bits(address: Address, length: int) -> int:
    return int(address) >> (address.max_prefixlen - length)


def words_of_way(way: NextHop) -> str:
    """A way of a route, as a person tells it from the others."""
    match way:
        case Gateway(next_hop, nic):
            return f"{next_hop} on {nic}"
        case Steer(_, given) | Sid(local=LocalSid(policy=Encapsulation() as given)):
            return ", ".join(map(str, given.segments))
    return str(way)
