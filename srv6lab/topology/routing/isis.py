"""What an author writes of IS-IS, on a node and on a link: level 2 with wide metrics in a single topology."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import Model, Name

# ISO 10589 section 7.1: an area of one to three groups, six octets of system id, selector 00.
Net = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}(\.[0-9a-f]{4}){0,3}(\.[0-9a-f]{4}){3}\.00$", strict=True)
]
InstanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,16}$")]


class Isis(Model):
    """IS-IS on a node. With a locator it announces it (RFC 9352); `redistribute: [bgp]` hands on BGP's IPv6."""

    instance: InstanceName
    net: Net
    locators: Annotated[tuple[Name, ...], Field(max_length=1)] = ()
    redistribute: tuple[Literal["bgp"], ...] = ()


class IsisLink(Model):
    """A link that IS-IS runs on; `metric` is that of both ends."""

    network: Literal["point-to-point", "broadcast"] = "point-to-point"
    metric: Annotated[int, Field(strict=True, ge=1, le=2**24 - 2)] = 10
