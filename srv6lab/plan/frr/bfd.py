"""What FRR of a node is told of BFD: on which NICs, and for the neighbors of which protocols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from srv6lab.plan.frr.bgp import PlannedBgp
from srv6lab.plan.frr.isis import PlannedIsis
from srv6lab.plan.frr.links import links_of
from srv6lab.plan.frr.ospf import PlannedOspf
from srv6lab.topology.model import Link, Topology
from srv6lab.topology.scalars import Address


@dataclass(frozen=True, slots=True)
class BfdNeighbor:
    """A neighbor that a session leads to; IS-IS and OSPFv3 find out its link-local `address` themselves."""

    node: str
    protocol: str
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class PlannedBfd:
    """BFD on a NIC: a packet each `interval` milliseconds; `multiplier` missing ones end the session."""

    nic: str
    interval: int
    multiplier: int
    neighbors: tuple[BfdNeighbor, ...]

    @property
    def protocols(self) -> frozenset[str]:
        return frozenset(one.protocol for one in self.neighbors)


def plan_bfd(
    topology: Topology,
    name: str,
    isis: PlannedIsis | None,
    ospf: Sequence[PlannedOspf],
    bgp: PlannedBgp | None,
) -> tuple[PlannedBfd, ...]:
    found = []
    for link, end in links_of(topology, name):
        if link.bfd:
            nic = link.endpoints[end].nic
            neighbors = (*_of_isis(isis, nic), *_of_ospf(ospf, link, nic, name), *_of_bgp(bgp, link, name))
            found.append(PlannedBfd(nic, link.bfd.interval, link.bfd.multiplier, neighbors))
    return tuple(found)


def _of_isis(isis: PlannedIsis | None, nic: str) -> Iterator[BfdNeighbor]:
    for on_nic in isis.nics if isis else ():
        if on_nic.nic == nic:
            yield from (BfdNeighbor(one.node, "isis") for one in on_nic.neighbors)


def _of_ospf(every: Sequence[PlannedOspf], link: Link, nic: str, name: str) -> Iterator[BfdNeighbor]:
    for ospf in every:
        for one in (one for at in ospf.nics if at.nic == nic for one in at.neighbors):
            if ospf.version == 3:
                yield BfdNeighbor(one.node, "ospf6")
            else:
                yield BfdNeighbor(one.node, "ospf", _address_on(link, one.node, 4))


def _of_bgp(bgp: PlannedBgp | None, link: Link, name: str) -> Iterator[BfdNeighbor]:
    """Sessions over the link, not those between loopbacks."""
    ends = [one.node for one in link.endpoints]
    for one in bgp.neighbors if bgp else ():
        if one.node in ends and any(
            address.ip == one.address for address in link.interfaces(ends.index(one.node))
        ):
            yield BfdNeighbor(one.node, "bgp", one.address)


def _address_on(link: Link, node: str, version: int) -> Address | None:
    ends = [one.node for one in link.endpoints]
    return link.address(ends.index(node), version)
