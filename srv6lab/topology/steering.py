"""Which traffic is steered where."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.routing import VrfName
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


class ListedSegments(Model):
    """A segment list, first visited first, and its weight among others; Linux has weights up to 256."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]
    weight: Annotated[int, Field(strict=True, ge=1, le=256)] = 1


class ListsTarget(Model):
    """Where traffic is steered to: segment lists that share its flows by their weights."""

    segment_lists: Annotated[tuple[ListedSegments, ...], Field(min_length=1, max_length=16)]


class Match(Model):
    """Which traffic is steered: by where it goes, and if that is said by where it comes from, and by the NIC that it
    comes in by; or what is looked up in a table of the author's, or of a VRF."""

    prefix: Network
    source: Network | None = None
    nic: NicName | None = None
    table: Table | None = None
    vrf: VrfName | None = None


class Steering(Model):
    """Matching traffic is encapsulated at a headend (RFC 8986 section 5) over segments of its own, or over those of
    the SR policy that its color says; with `encap.red` in a reduced SRH, or in none where there is one segment. With
    `inline` the SRH goes into the packet itself, and its last segment is where the packet was going."""

    headend: Name
    match: Match
    to: Target | ListsTarget | ColorTarget
    mode: Literal["encap", "encap.red", "inline"] = "encap"

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
