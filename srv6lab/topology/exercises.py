"""What is sent in a lab, what is changed meanwhile, and what both must show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from srv6lab.topology.actions import Action, AnyAction
from srv6lab.topology.expectations import Expect
from srv6lab.topology.scalars import (
    Line,
    Model,
    Name,
    V6Address,
)


class Probe(Model):
    """Traffic that an exercise sends from one node to another: `icmp` echo requests, or one datagram of each of `udp`
    flows, which differ in their source port. `size` bytes are behind the ICMP or UDP header (the token that they are
    told by needs 56). With `segments` echo requests carry an SRH through these SIDs, first visited first, with `oam`
    its O-flag (RFC 9259). `interval` is in milliseconds."""

    id: Name
    source: Name = Field(alias="from")
    to: Name
    icmp: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    udp: Annotated[int, Field(strict=True, ge=1, le=20000)] | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 5000
    interval: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    size: Annotated[int, Field(strict=True, ge=56, le=8952)] = 56
    segments: Annotated[tuple[V6Address, ...], Field(max_length=16)] = ()
    oam: bool = False

    @property
    def count(self) -> int:
        """How many packets it sends."""
        return self.icmp or self.udp or 0


class Step(Model):
    """A part of an exercise: what is changed for its probes only. `across` is sent while it is changed."""

    apply: tuple[AnyAction, ...] = ()
    across: Probe | None = None
    probes: Annotated[tuple[Probe, ...], Field(min_length=1)]

    def every_probe(self) -> tuple[Probe, ...]:
        return (*([self.across] if self.across else []), *self.probes)


class Exercise(Model):
    """One thing to do in the lab and what it must show.

    `apply` holds for the whole exercise. `probes` are sent first, then the steps one after the
    other; what a step applies is taken back at its end. `since: up` looks at all that was captured since the lab
    came up: routing protocols say most at the beginning.
    """

    name: Name
    description: Line = ""
    since: Literal["exercise", "up"] = "exercise"
    apply: tuple[AnyAction, ...] = ()
    probes: tuple[Probe, ...] = ()
    steps: tuple[Step, ...] = ()
    expect: Expect

    def every_probe(self) -> tuple[Probe, ...]:
        """In the order in which they are sent."""
        return self.probes + tuple(probe for step in self.steps for probe in step.every_probe())

    def every_action(self) -> tuple[Action, ...]:
        return self.apply + tuple(action for step in self.steps for action in step.apply)
