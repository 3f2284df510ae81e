"""What an author writes of BGP on a node. A session is named by the node at its other end."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from srv6lab.topology.scalars import Flag, Model, Name, Network, V6Address, several

AsNumber = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
Families = Annotated[tuple[Literal["ipv4", "ipv6", "vpnv4", "vpnv6"], ...], Field(min_length=1)]


class Neighbor(Model):
    """A BGP session with another node. Inside an AS it leads from loopback to loopback, between two over the link, unless
    `via` says otherwise. `next_hop_self` says one's own address to an iBGP neighbor, `reflector_client` makes it a client
    of this route reflector (RFC 4456), and `multihop` is how many links an eBGP session between loopbacks may pass."""

    node: Name
    families: Families
    next_hop_self: Flag = False
    reflector_client: Flag = False
    multihop: Annotated[int, Field(strict=True, ge=2, le=255)] | None = None
    via: Literal["loopback", "link"] | None = None


class Bgp(Model):
    """BGP on a node: its AS, what it announces, its sessions. With `sid` its routers inside the AS send what they have
    routes of into SRv6, to this node (RFC 9252 sections 5.3 and 5.4); of two SIDs the first takes IPv4."""

    as_number: AsNumber = Field(alias="as")
    networks: tuple[Network, ...] = ()
    redistribute: tuple[Literal["connected", "static", "isis", "ospf", "ospf6"], ...] = ()
    neighbors: Annotated[tuple[Neighbor, ...], Field(min_length=1)]
    sids: Annotated[
        tuple[V6Address | Literal["auto"], ...], Field(max_length=2), BeforeValidator(several)
    ] = Field((), alias="sid")
