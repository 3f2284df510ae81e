"""What an author writes of IS-IS, on a node and on a link: wide metrics, and one topology for both IP versions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from srv6lab.topology.scalars import Flag, Model, Name, several

# ISO 10589 section 7.1: an area of one to three groups, six octets of system id, selector 00.
Net = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}(\.[0-9a-f]{4}){0,3}(\.[0-9a-f]{4}){3}\.00$", strict=True)
]
InstanceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,16}$")]
Level = Literal[1, 2, "1-2"]
Metric = Annotated[int, Field(strict=True, ge=1, le=2**24 - 2)]  # RFC 5305 section 3
# It becomes a word of FRR's configuration, which a shell hands on.
Secret = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+=@%-]{0,63}$")]


class Password(Model):
    """What proves that a message is of the network: by HMAC-MD5 (RFC 5304), or for all to read."""

    secret: Secret
    type: Literal["md5", "clear"] = "md5"


class Authentication(Model):
    """`area` is for what level 1 floods, `domain` for level 2."""

    area: Password | None = None
    domain: Password | None = None


class Isis(Model):
    """IS-IS on a node. With a locator it announces it (RFC 9352); `redistribute` hands on what others bring. The others
    send nothing through a node with `overload`."""

    instance: InstanceName
    net: Net
    level: Level = 2
    locators: Annotated[tuple[Name, ...], Field(max_length=1)] = ()
    redistribute: tuple[Literal["bgp", "connected", "static"], ...] = ()
    authentication: Authentication = Authentication.model_construct()
    overload: Flag = False

    @property
    def area(self) -> str:
        """All of the NET but the system id and the selector."""
        return self.net.rsplit(".", 4)[0]

    @property
    def system(self) -> str:
        return ".".join(self.net.split(".")[-4:-1])


class IsisLink(Model):
    """A link that IS-IS runs on, which a `passive` one doesn't: its prefixes are told of, and that is all. A metric or an
    authentication is that of all ends, or there is one for each."""

    network: Literal["point-to-point", "broadcast"] | None = None
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1), BeforeValidator(several)] = Field(
        (10,), alias="metric"
    )
    level: Level | None = None
    passive: Flag = False
    passwords: Annotated[tuple[Password, ...], BeforeValidator(several)] = Field((), alias="authentication")

    def metric(self, end: int) -> int:
        return self.metrics[min(end, len(self.metrics) - 1)]

    def password(self, end: int) -> Password | None:
        return self.passwords[min(end, len(self.passwords) - 1)] if self.passwords else None


def levels_of(node: Isis, link: IsisLink) -> frozenset[int]:
    """The levels of a node's end of a link."""
    return levels(node.level) & levels(link.level or "1-2")


def levels(level: Level) -> frozenset[int]:
    return frozenset({1, 2}) if level == "1-2" else frozenset({int(level)})


def adjacency(link: IsisLink, one: Isis, other: Isis) -> frozenset[int]:
    """The levels of the adjacency of two nodes on a link, none if they have none: one of level 1 is inside an area."""
    if link.passive:
        return frozenset()
    both = levels_of(one, link) & levels_of(other, link)
    return both if one.area == other.area else both - {1}
