"""Which traffic is steered where."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.hmac import KeyNumber
from srv6lab.topology.routing import VrfName
from srv6lab.topology.scalars import (
    Model,
    Name,
    Network,
    V6Address,
)
from srv6lab.topology.sr_policy import ColorTarget


class Target(Model):
    """Where traffic is steered to: segments in visiting order."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=64)]


class Match(Model):
    """Which traffic is steered: what is for a prefix, and of a VRF what comes in by its NICs."""

    prefix: Network
    vrf: VrfName | None = None


class Steering(Model):
    """Matching traffic is encapsulated at a headend (RFC 8986 section 5) over segments of its own, or over those of
    the SR policy that its color says; with `encap.red` in a reduced SRH, or in none where there is one segment. With
    `inline` the SRH goes into the packet itself, and its last segment is where the packet was going. `hmac` is
    the number of the headend's key that signs the SRH."""

    headend: Name
    match: Match
    to: Target | ColorTarget
    hmac: KeyNumber | None = None
    mode: Literal["encap", "encap.red", "inline"] = "encap"

    @property
    def segments(self) -> tuple[IPv6Address, ...]:
        """Its own, first visited first; none where a policy decides."""
        return self.to.segments if isinstance(self.to, Target) else ()
