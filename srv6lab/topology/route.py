"""A static route of a node, as its author writes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.routing.vrf import VrfName
from srv6lab.topology.scalars import Address, Model, Network, NicName, Table, V6Address

MOST_SEGMENTS = 16  # of a route of FRR's


class Route(Model):
    """A static route of a node, in its main table, in one that its SIDs or `rules` look into, or in a VRF: over a
    neighbor, over a NIC on which all of the prefix is, or one that refuses. Several of one prefix, table and metric
    share its flows by their weights; the least metric comes first. With `segments`, which only FRR's routes have, what it
    takes is encapsulated (RFC 8986 section 5.1), with `mode: encap.red` in a reduced SRH (section 5.2)."""

    prefix: Network
    via: Address | None = None
    nic: NicName | None = None
    type: Literal["blackhole", "unreachable", "prohibit"] | None = None
    metric: Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)] | None = None
    weight: Annotated[int, Field(strict=True, ge=1, le=256)] = 1
    table: Table | None = None
    vrf: VrfName | None = None
    segments: Annotated[tuple[V6Address, ...], Field(max_length=MOST_SEGMENTS)] = ()
    mode: Literal["encap", "encap.red"] = "encap"
