"""A static route of a node, as its author writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from srv6lab.topology.routing import VrfName
from srv6lab.topology.scalars import Address, Model, Network, Table


class Route(Model):
    """A static route of a node, in its main table, in one that only its SIDs look into, or in a VRF. Several of one
    prefix and table share its flows by their weights."""

    prefix: Network
    via: Address
    weight: Annotated[int, Field(strict=True, ge=1, le=256)] = 1
    table: Table | None = None
    vrf: VrfName | None = None
