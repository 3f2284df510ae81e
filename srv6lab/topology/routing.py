"""What an author writes of routing protocols: IS-IS, BGP and VPNs on a node, in the words of FRR.

IS-IS runs at level 2 with wide metrics in a single topology; BGP sessions are named by the node at their other
end, and lead to its loopback inside an AS and over the link between two.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import Flag, Model, Name, NicName, Table, V6Address, V6Network

# ISO 10589 section 7.1: an area of one to three groups, six octets of system id, selector 00.
Net = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}(\.[0-9a-f]{4}){0,3}(\.[0-9a-f]{4}){3}\.00$", strict=True)
]
# RFC 4364 sections 4.2 and 4.3.1: the AS and a number of its own.
RouteTarget = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}:[0-9]{1,9}$", strict=True)]
InstanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,16}$")]
AsNumber = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
VrfName = NicName  # it becomes one
_Bits = Annotated[int, Field(strict=True, ge=0, le=128)]


class SidStructure(Model):
    """The lengths in bits of a SID's parts (RFC 9252 section 3.2.1); block and node make the locator."""

    block: _Bits
    node: _Bits
    function: Annotated[int, Field(strict=True, ge=1, le=32)] = 16
    argument: _Bits = 0


class Isis(Model):
    """IS-IS on a node. With a locator it announces it (RFC 9352); `redistribute: [bgp]` hands on BGP's IPv6."""

    instance: InstanceName
    net: Net
    redistribute: tuple[Literal["bgp"], ...] = ()


class IsisLink(Model):
    """A link that IS-IS runs on; `metric` is that of both ends."""

    network: Literal["point-to-point", "broadcast"] = "point-to-point"
    metric: Annotated[int, Field(strict=True, ge=1, le=2**24 - 2)] = 10


class Neighbor(Model):
    """A BGP session with another node. `next_hop_self` says one's own address to an iBGP neighbor."""

    node: Name
    families: Annotated[tuple[Literal["ipv4", "ipv6", "vpnv4"], ...], Field(min_length=1)]
    next_hop_self: Flag = False


class Bgp(Model):
    """BGP on a node: its AS, what it announces, its sessions."""

    as_number: AsNumber = Field(alias="as")
    networks: tuple[V6Network, ...] = ()
    neighbors: Annotated[tuple[Neighbor, ...], Field(min_length=1)]


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
