"""Which traffic is steered where."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.routing import VrfName
from srv6lab.topology.scalars import (
    Model,
    Name,
    Network,
    NicName,
    V6Address,
)
from srv6lab.topology.sr_policy import ColorTarget


class Target(Model):
    """Where traffic is steered to: segments in visiting order."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]


EVERYTHING = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
FRAMES = ("l2encap", "l2encap.red")  # the modes that put a whole frame into SRv6


class Match(Model):
    """Which traffic is steered: what is for a prefix, and of a VRF what comes in by its NICs; or the frames that come in
    by a NIC (those with packets to the prefix, where there is one)."""

    prefix: Network | None = None
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
    `l2encap.red` it is the whole frame that is encapsulated (sections 5.3 and 5.4)."""

    headend: Name
    match: Match
    to: Target | ColorTarget
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
        """Its own, first visited first; none where a policy decides."""
        return self.to.segments if isinstance(self.to, Target) else ()
