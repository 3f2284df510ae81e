"""What an author writes of a VRF: one with a table alone, or a VPN whose routes come by BGP (RFC 4364)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from srv6lab.topology.routing.bgp import Neighbor
from srv6lab.topology.scalars import V4, Model, Network, NicName, Table, V6Address, several

# RFC 4364 sections 4.2 and 4.3.1: an AS and a number of its own; an AS of four octets and an address leave it two.
_TWO = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4})"
_FOUR = (
    "(?:429496729[0-5]|42949672[0-8][0-9]|4294967[01][0-9]{2}|429496[0-6][0-9]{3}|42949[0-5][0-9]{4}"
    "|4294[0-8][0-9]{5}|429[0-3][0-9]{6}|42[0-8][0-9]{7}|4[01][0-9]{8}|[1-3]?[0-9]{1,9})"
)
ROUTE_TARGET = f"^(?:{_TWO}:{_FOUR}|{_FOUR}:{_TWO}|{V4}:{_TWO})$"
RouteTarget = Annotated[str, StringConstraints(pattern=ROUTE_TARGET, strict=True)]
VrfName = NicName  # it becomes one
VpnBehavior = Literal["End.DT4", "End.DT6", "End.DT46"]
AUTO: Literal["auto"] = "auto"


class PlainVrf(Model):
    """A VRF without BGP: a table of its own, in which what comes in by its NICs is looked up, and nowhere else."""

    table: Table


class Vrf(Model):
    """A VPN on a node (RFC 4364). Its SID takes the families that are in it, or those of its `behavior`; of two SIDs the
    first takes IPv4 and the second IPv6 (RFC 8986 sections 4.6 to 4.8). `import_vrf` are VRFs of the same node whose
    routes it takes, too."""

    rd: RouteTarget
    import_targets: Annotated[tuple[RouteTarget, ...], Field(min_length=1)] = Field((), alias="import")
    export_targets: Annotated[tuple[RouteTarget, ...], Field(min_length=1)] = Field(alias="export")
    sids: Annotated[
        tuple[V6Address | Literal["auto"], ...],
        Field(min_length=1, max_length=2),
        BeforeValidator(several),
    ] = Field(alias="sid")
    behavior: VpnBehavior | None = None
    networks: tuple[Network, ...] = ()
    redistribute: tuple[Literal["connected", "static"], ...] = ()
    import_vrf: Annotated[tuple[VrfName, ...], Field(min_length=1)] = ()
    neighbors: tuple[Neighbor, ...] = ()
