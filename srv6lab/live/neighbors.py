"""What FRR says of a node's neighbors, as values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Any

from srv6lab.topology.scalars import Address


@dataclass(frozen=True, slots=True)
class OspfAdjacency:
    """An OSPF neighbor on a NIC; its `state` in lower case, such as `full` or `2-way` (RFC 2328 section 10.1)."""

    nic: str
    router_id: IPv4Address
    state: str


@dataclass(frozen=True, slots=True)
class BfdSession:
    """A BFD session; `nic` is "" where FRR says none, `state` is `up` or another of RFC 5880 section 4.1."""

    nic: str
    peer: Address
    state: str


def neighbor_address(name: str) -> Address | None:
    """The address that FRR calls a BGP neighbor by, None for one that is called by a NIC (`neighbor eth1 interface`)."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def ospf_neighbors(document: Any) -> Iterator[OspfAdjacency]:
    """Of version 2: lists by router id."""
    for router_id, found in ((document or {}).get("neighbors") or {}).items():
        for one in found:
            nic = one["ifaceName"].partition(":")[0]
            yield OspfAdjacency(nic, IPv4Address(router_id), one["nbrState"].partition("/")[0].lower())


def ospf6_neighbors(document: Any) -> Iterator[OspfAdjacency]:
    """Of version 3: one list."""
    for one in (document or {}).get("neighbors") or ():
        state = one["state"].lower().replace("twoway", "2-way")
        yield OspfAdjacency(one["interfaceName"], IPv4Address(one["neighborId"]), state)


def bfd_sessions(document: Any) -> Iterator[BfdSession]:
    for one in document or ():
        yield BfdSession(one.get("interface", ""), ip_address(one["peer"]), one["status"])
