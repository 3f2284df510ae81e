"""The source address that Linux gives to what a node sends by a NIC (RFC 6724 section 5 for IPv6).

Of equal IPv6 addresses Linux takes the one that it was given last, of IPv4 addresses the first on the next hop's link.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface, IPv6Address, IPv6Interface, IPv6Network

from srv6lab.plan.nodes import Nic, PlannedNode
from srv6lab.topology.scalars import Address

# The prefixes whose addresses Linux keeps apart from all others (`ip addrlabel`; RFC 6724 section 2.1).
_LABELS = tuple(
    map(
        IPv6Network,
        ("::1/128", "::ffff:0:0/96", "::/96", "2001:10::/28", "2001::/32", "2002::/16", "fc00::/7"),
    )
)


def source(node: PlannedNode, nic: Nic, to: Address, via: Address | None = None) -> Address | None:
    """The source of what leaves by `nic` for `to`, over the neighbor `via` if there is one. None if the node has no
    address of that family."""
    if isinstance(to, IPv6Address):
        return _of_ipv6(node, nic, to)
    return _of_ipv4(node, nic, via or to)


def source_of(node: PlannedNode, nics: Mapping[str, Nic], name: str, to: Address) -> IPv6Address:
    """The source of what a node pushes: what it was told (`ip sr tunsrc`), what FRR tells the kernel, else an address
    of the NIC that it leaves by for its first segment."""
    by_frr = node.routing.source if node.routing else None
    found = node.tunnel_source or by_frr or source(node, nics[name], to)
    if not isinstance(found, IPv6Address):
        raise ValueError(f"{name} has no IPv6 address to encapsulate from")
    return found


def _of_ipv4(node: PlannedNode, nic: Nic, near: Address) -> Address | None:
    mine = [one for one in nic.addresses if isinstance(one, IPv4Interface)]
    others = (one for given in _elsewhere(node, nic) for one in given if isinstance(one, IPv4Interface))
    found = next((one for one in mine if near in one.network), next(iter(mine), next(others, None)))
    return found.ip if found else None


def _of_ipv6(node: PlannedNode, nic: Nic, to: IPv6Address) -> Address | None:
    """Rules 2, 5, 6 and 8: of a scope that is large enough, of the NIC, of the same label, with the longest prefix."""
    mine = [one for one in reversed(nic.addresses) if isinstance(one, IPv6Interface)]
    if not to.is_link_local:
        every = (one for given in _elsewhere(node, nic) for one in reversed(given))
        others = [one for one in every if isinstance(one, IPv6Interface) and not one.is_link_local]
        mine = [one for one in mine if not one.is_link_local] or others
    # The first of the best.
    return max(mine, key=lambda one: (_label(one.ip) == _label(to), _common(one, to))).ip if mine else None


def _elsewhere(node: PlannedNode, nic: Nic) -> Iterator[tuple[IPv4Interface | IPv6Interface, ...]]:
    """The addresses that are not the NIC's, of `lo` first, then of each other NIC."""
    yield node.loopbacks
    yield from (other.addresses for other in node.nics if other is not nic and other.vrf == nic.vrf)


def _label(address: IPv6Address) -> IPv6Network | None:
    return next((one for one in _LABELS if address in one), None)


def _common(one: IPv6Interface, to: IPv6Address) -> int:
    """The bits from the left that both have, in the prefix of the one."""
    return min(128 - (int(one.ip) ^ int(to)).bit_length(), one.network.prefixlen)
