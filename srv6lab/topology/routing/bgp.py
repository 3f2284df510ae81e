"""What an author writes of BGP on a node. A session is named by the node at its other end: it leads to its loopback inside
an AS, and over the link between two."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.scalars import Flag, Model, Name, V6Network

AsNumber = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]


class Neighbor(Model):
    """A BGP session with another node. `next_hop_self` says one's own address to an iBGP neighbor."""

    node: Name
    families: Annotated[tuple[Literal["ipv4", "ipv6", "vpnv4", "vpnv6"], ...], Field(min_length=1)]
    next_hop_self: Flag = False


class Bgp(Model):
    """BGP on a node: its AS, what it announces, its sessions."""

    as_number: AsNumber = Field(alias="as")
    networks: tuple[V6Network, ...] = ()
    neighbors: Annotated[tuple[Neighbor, ...], Field(min_length=1)]
