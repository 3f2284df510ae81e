"""Which traffic is steered where."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.hmac import KeyNumber
from srv6lab.topology.routing.vrf import VrfName
from srv6lab.topology.scalars import (
    Model,
    Name,
    Network,
    NicName,
    Table,
    V6Address,
)
from srv6lab.topology.sr_policy import ColorTarget


class Target(Model):
    """Where traffic is steered to: segments in visiting order."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]


EVERYTHING = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
FRAMES = ("l2encap", "l2encap.red")  # the modes that put a whole frame into SRv6


class ListedSegments(Model):
    """A segment list, first visited first, and its weight among others; Linux has weights up to 256."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]
    weight: Annotated[int, Field(strict=True, ge=1, le=256)] = 1


class ListsTarget(Model):
    """Where traffic is steered to: segment lists that share its flows by their weights."""

    segment_lists: Annotated[tuple[ListedSegments, ...], Field(min_length=1, max_length=16)]


class Match(Model):
    """Which traffic is steered: what is for a prefix, and if that is said what comes from a `source`, or in by a `nic`; or
    what is looked up in a table of the author's, or of a VRF. Or the frames that come in by a NIC (those with packets to
    the prefix, where there is one)."""

    prefix: Network | None = None
    source: Network | None = None
    table: Table | None = None
    vrf: VrfName | None = None
    nic: NicName | None = None

    @property
    def prefixes(self) -> tuple[Network, ...]:
        """All of both families, where there is no prefix."""
        return EVERYTHING if self.prefix is None else (self.prefix,)


class Steering(Model):
    """Matching traffic is encapsulated at a headend (RFC 8986 section 5) over segments of its own, or over those of
    the SR policy that its color says; with `encap.red` in a reduced SRH, or in none where there is one segment. With
    `inline` the SRH goes into the packet itself, and its last segment is where the packet was going. With `l2encap` and
    `l2encap.red` it is the whole frame that is encapsulated (sections 5.3 and 5.4). `hmac` is the
    number of the headend's key that signs the SRH."""

    headend: Name
    match: Match
    to: Target | ListsTarget | ColorTarget
    hmac: KeyNumber | None = None
    mode: Literal["encap", "encap.red", "inline", "l2encap", "l2encap.red"] = "encap"

    @property
    def of_frames(self) -> bool:
        return self.mode in FRAMES

    @property
    def prefix(self) -> Network:
        """That of a steering of packets, which has one."""
        return self.match.prefixes[0]

    @property
    def segments(self) -> tuple[IPv6Address, ...]:
        """Its own, first visited first, those of the first of several lists; none where a policy decides."""
        return next((one.segments for _, one in self.lists), ())

    @property
    def lists(self) -> tuple[tuple[tuple[str | int, ...], Target | ListedSegments], ...]:
        """Its own segment lists, each with its place below `to`."""
        if isinstance(self.to, Target):
            return (((), self.to),)
        several = self.to.segment_lists if isinstance(self.to, ListsTarget) else ()
        return tuple((("segment_lists", index), one) for index, one in enumerate(several))
