"""What an author writes of SR policies (RFC 9256), of what is steered into them, and of their headends."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.scalars import Address, Flag, Model, Name, Network, V6Address, V6Network

Number = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
Color = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
Weight = Annotated[int, Field(strict=True, ge=1, le=2**32 - 1)]
Priority = Annotated[int, Field(strict=True, ge=0, le=255)]
ForwardingClass = Annotated[int, Field(strict=True, ge=0, le=7)]
Srlg = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
LinkMetric = Annotated[int, Field(strict=True, ge=1, le=2**24 - 1)]
SymbolicName = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=100)]


class WeightedList(Model):
    """A segment list in visiting order, and its weight among those of its path (RFC 9256 section 2.2)."""

    segments: Annotated[tuple[V6Address, ...], Field(min_length=1, max_length=16)]
    weight: Weight = 1


class Dynamic(Model):
    """What a path shall have the least of, and what its links must and must not have (RFC 9256 section 5.2)."""

    metric: Literal["igp_metric", "te_metric", "delay"] = "igp_metric"
    include_any: tuple[Name, ...] = ()
    include_all: tuple[Name, ...] = ()
    exclude_any: tuple[Name, ...] = ()
    exclude_srlgs: tuple[Srlg, ...] = ()


class Constituent(Model):
    """A policy of the same headend and endpoint, and its weight in a composite path (RFC 9256 section 2.2)."""

    color: Color
    weight: Weight = 1


class Originator(Model):
    """Who provisioned a path (RFC 9256 section 2.4)."""

    as_number: Number = Field(alias="as", default=0)
    node: Address


class CandidatePath(Model):
    """One way to do what a policy is for: `segment_lists`, `dynamic` or `composite`, one of the three. `checks` are
    what RFC 9256 section 5.1 lets a headend check besides what it must."""

    name: SymbolicName = ""
    preference: Number = 100
    origin: Literal["configuration", "bgp", "pcep"] = "configuration"
    originator: Originator | None = None
    discriminator: Number = 0
    binding_sid: V6Address | None = None
    priority: Priority | None = None
    checks: tuple[Literal["sids", "endpoint", "data_planes"], ...] = ()
    segment_lists: tuple[WeightedList, ...] = ()
    dynamic: Dynamic | None = None
    composite: tuple[Constituent, ...] = ()


class SrPolicy(Model):
    """An SR policy of a headend, known by its color and endpoint (RFC 9256 section 2.1)."""

    headend: Name
    color: Color
    endpoint: V6Address
    name: SymbolicName = ""
    priority: Priority | None = None
    keep_installed: Flag = False
    specified_bsid_only: Flag = False
    drop_upon_invalid: Flag = False
    candidate_paths: Annotated[tuple[CandidatePath, ...], Field(min_length=1)]


class ArrayEntry(Model):
    """The color for a forwarding class."""

    forwarding_class: ForwardingClass = Field(alias="class")
    color: Color


class ColorTarget(Model):
    """Where traffic is steered to by policies to an endpoint: that of the highest of some `colors` (RFC 9256 section
    8.4), or one a forwarding class, the `array` of section 8.6. `sid` comes behind the policy's segments."""

    endpoint: V6Address
    colors: tuple[Color, ...] = ()
    array: tuple[ArrayEntry, ...] = ()
    sid: V6Address | None = None


class Flow(Model):
    """Packets that all of these match are colored with a forwarding class as they come in. `port` is the
    destination's."""

    forwarding_class: ForwardingClass = Field(alias="class")
    source: Network | None = None
    destination: Network | None = None
    dscp: Annotated[int, Field(strict=True, ge=0, le=63)] | None = None
    protocol: Literal["tcp", "udp"] | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None


class Headend(Model):
    """How a node keeps its policies: milliseconds between probes down each segment list, how many of them may be lost
    in a row, the first flow that matches a packet, and the SIDs for policies without one of their own."""

    probe_interval: Annotated[int, Field(strict=True, ge=10, le=60000)] = 100
    misses: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    flows: tuple[Flow, ...] = ()
    binding_sids: tuple[V6Address, ...] = ()
    local_block: V6Network | None = None
