"""Between which addresses a BGP session is opened, by what the author says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from srv6lab.topology.model import Link, Node
from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Address

Ends = tuple[Address, Address]  # this one, the other one


def leads_by_loopback(one: Neighbor, ebgp: bool) -> bool:
    """Whether a session leads from loopback to loopback: inside an AS, and by eBGP where it may pass several links."""
    return one.via == "loopback" if one.via else not ebgp or one.multihop is not None


def ends_of_session(
    one: Neighbor, ebgp: bool, here: Node, there: Node, links: Iterable[tuple[Link, int]], vrf: str = ""
) -> Ends | None:
    """The two addresses, None where the nodes have none of one IP version. `links` are those of `here`, each with its
    end. It is IPv4 where nothing else is spoken or there is no IPv6."""
    found = _loopbacks(here, there) if leads_by_loopback(one, ebgp) else _on_links(links, one.node, vrf)
    pairs = [pair for pair in found if not any(end.is_link_local for end in pair)]
    first = 4 if one.families == ("ipv4",) else 6
    return min(pairs, key=lambda pair: pair[0].version != first, default=None)


def _loopbacks(here: Node, there: Node) -> Iterator[Ends]:
    for near in here.loopbacks:
        yield from ((near.ip, far.ip) for far in there.loopbacks if far.version == near.version)


def _on_links(links: Iterable[tuple[Link, int]], other: str, vrf: str) -> Iterator[Ends]:
    """Both ends on the links to another node, prefix by prefix."""
    for link, end in links:
        if (link.endpoints[end].vrf or "") == vrf:
            for index, there in enumerate(link.endpoints):
                for far in link.interfaces(index) if there.node == other else ():
                    mine = (near.ip for near in link.interfaces(end) if near.network == far.network)
                    yield from ((near, far.ip) for near in mine)
