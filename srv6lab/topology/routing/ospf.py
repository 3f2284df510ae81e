"""What an author writes of OSPF, on a node and on a link: `ospf` is version 2 (RFC 2328) and brings IPv4, `ospf6` is
version 3 (RFC 5340) and brings IPv6."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from srv6lab.topology.scalars import Flag, Model, V4Address, several

BACKBONE = IPv4Address(0)
Cost = Annotated[int, Field(strict=True, ge=1, le=2**16 - 1)]
Source = Literal["connected", "static", "bgp"]


class Ospf(Model):
    """OSPF on a node: the area of its links, and what else it announces (with a locator, that one by itself)."""

    area: V4Address = BACKBONE
    redistribute: tuple[Source, ...] = ()


class OspfLink(Model):
    """A link that OSPF runs on. `cost` is that of all ends, or a list with one for each; of a `passive` link it tells,
    and has no neighbors there."""

    network: Literal["point-to-point", "broadcast"] | None = None
    cost: Annotated[tuple[Cost, ...], Field(min_length=1), BeforeValidator(several)] = (10,)
    passive: Flag = False
    area: V4Address | None = None

    def cost_at(self, end: int) -> int:
        """What it costs to leave by one end."""
        return self.cost[end] if end < len(self.cost) else self.cost[0]

    def network_of(self, ends: int) -> str:
        """What the author says, else what fits a link with so many ends."""
        return self.network or ("point-to-point" if ends == 2 else "broadcast")
