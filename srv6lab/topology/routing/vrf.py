"""What an author writes of a VRF: one with a table alone, or a VPN whose routes come by BGP (RFC 4364)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import Model, NicName, Table, V6Address

# RFC 4364 sections 4.2 and 4.3.1: the AS and a number of its own.
RouteTarget = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}:[0-9]{1,9}$", strict=True)]
VrfName = NicName  # it becomes one


class PlainVrf(Model):
    """A VRF without BGP: a table of its own, in which what comes in by its NICs is looked up, and nowhere else."""

    table: Table


class Vrf(Model):
    """A VPN on a node (RFC 4364): `sid` is its End.DT4 (RFC 9252), whose function is fixed by it."""

    rd: RouteTarget
    import_targets: Annotated[tuple[RouteTarget, ...], Field(min_length=1)] = Field(alias="import")
    export_targets: Annotated[tuple[RouteTarget, ...], Field(min_length=1)] = Field(alias="export")
    sid: V6Address
    redistribute: tuple[Literal["connected"], ...] = ()
    neighbors: tuple[Neighbor, ...] = ()
