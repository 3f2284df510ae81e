"""What is sent in a lab, what is changed meanwhile, and what both must show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from srv6lab.topology.actions import Action, AnyAction
from srv6lab.topology.expectations import Expect
from srv6lab.topology.scalars import (
    NAME,
    Address,
    Flag,
    Line,
    Model,
    Name,
    V6Address,
)
from srv6lab.topology.teaching import Taught


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """A kind of probe: `key` holds its count in a Probe, `words` are what it sends, `single` is one of them, `interval` are the milliseconds
    between two packets of one that doesn't say, `header` the bytes between IP and payload. Of one that is `answered`
    the replies come back; `ports` and `segments` say whether it has those. Of one that isn't `counted` nobody knows how
    many packets it takes: it is sent once, and is answered once or not. Of one that `grows` the hop limits are 1, 2, …, and
    `hops` are who answers them; one that is `rated` may be sent as fast as its node can. `live/send.py` sends it and
    `predict/probe_packets.py` has its packets, by the key."""

    key: str
    words: str
    single: str
    interval: int
    header: int
    answered: bool = False
    ports: bool = False
    segments: bool = False
    counted: bool = True
    grows: bool = False
    rated: bool = False


PROBE_KINDS = (
    ProbeKind("icmp", "echo requests", "echo request", interval=20, header=8, answered=True, segments=True),
    ProbeKind("udp", "flows of UDP", "flow of UDP", interval=1, header=8, ports=True, rated=True),
    ProbeKind(
        "tcp", "bytes of TCP", "byte of TCP", interval=1, header=20, answered=True, ports=True, counted=False
    ),
    ProbeKind(
        "traceroute",
        "echo requests with growing hop limits",
        "echo request with a hop limit of 1",
        interval=20,
        header=8,
        grows=True,
    ),
)


HOPS = 64  # what Linux begins with
Answered = Annotated[str, StringConstraints(pattern=r"^(all|none|at least [1-9][0-9]{0,3})$")]

NOBODY = "*"  # answers a hop
HOP = rf"^(\*|{NAME[1:-1]}|[0-9A-Fa-f.:]{{2,45}})$"


def is_address(hop: str) -> bool:
    try:
        ip_address(hop)
    except ValueError:
        return False
    return True


class Probe(Model):
    """Traffic that an exercise sends from one node to another: `icmp` echo requests, or one datagram of each of `udp`
    flows, which differ in their source port. `size` bytes are behind the ICMP or UDP header (the token that they are
    told by needs 56); or one transfer of `tcp` bytes to a listener that is started for it, answered if all of them come. With `segments` echo requests carry an SRH through these SIDs, first visited first, with `oam`
    its O-flag (RFC 9259). `interval` is in milliseconds, `rate` in packets a second. `answered` says how many of its echo requests must be.

    `source` is an address of the node `from`, `destination` any address: `to` may be left out beside it. Without them
    the addresses are of the `family` that both nodes have, IPv4 first. `dscp` (RFC 2474 section 3) and `hop_limit` are
    what the packets begin with. Those of a `traceroute` begin with the hop limits 1 to so many, and `hops` says who
    answers them up to the destination: nodes or addresses, `*` for nobody."""

    id: Name
    source: Name = Field(alias="from")
    to: Name | None = None
    source_address: Address | None = Field(alias="source", default=None)
    destination: Address | None = None
    family: Literal[4, 6] | None = None
    dscp: Annotated[int, Field(strict=True, ge=0, le=63)] = 0
    hop_limit: Annotated[int, Field(strict=True, ge=1, le=255)] | None = None
    icmp: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    udp: Annotated[int, Field(strict=True, ge=1, le=20000)] | None = None
    tcp: Annotated[int, Field(strict=True, ge=1, le=10_000_000)] | None = None
    traceroute: Annotated[int, Field(strict=True, ge=1, le=32)] | None = None
    port: Annotated[int, Field(strict=True, ge=1, le=65535)] = 5000
    interval: Annotated[int, Field(strict=True, ge=1, le=1000)] | None = None
    rate: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    size: Annotated[int, Field(strict=True, ge=56, le=8952)] = 56
    segments: Annotated[tuple[V6Address, ...], Field(max_length=16)] = ()
    oam: Flag = False
    answered: Answered | None = None
    hops: Annotated[tuple[Annotated[str, StringConstraints(pattern=HOP)], ...], Field(max_length=32)] = ()

    @property
    def answers(self) -> tuple[int, int] | None:
        """How many must be answered, at least and at most, if it is said."""
        if self.answered is None:
            return None
        if self.answered == "none":
            return 0, 0
        return (self.sends if self.answered == "all" else int(self.answered.split()[-1])), self.sends

    @property
    def version(self) -> int | None:
        """Of IP, if the probe says it in any way."""
        if given := self.destination or self.source_address:
            return int(given.version)
        return self.family or (6 if self.segments else None)

    @property
    def kinds(self) -> tuple[ProbeKind, ...]:
        """One, or a check refuses it."""
        return tuple(kind for kind in PROBE_KINDS if getattr(self, kind.key) is not None)

    @property
    def kind(self) -> ProbeKind:
        return self.kinds[0]

    @property
    def count(self) -> int:
        """How many packets it sends, or bytes."""
        count: int = getattr(self, self.kind.key)
        return count

    @property
    def sends(self) -> int:
        """How many times it is sent: that of a kind that isn't counted once."""
        return self.count if self.kind.counted else 1


class Step(Model):
    """A part of an exercise: what is changed for its probes only. `across` is sent while it is changed."""

    apply: tuple[AnyAction, ...] = ()
    across: Probe | None = None
    probes: Annotated[tuple[Probe, ...], Field(min_length=1)]

    def every_probe(self) -> tuple[Probe, ...]:
        return (*([self.across] if self.across else []), *self.probes)


class Exercise(Taught):
    """One thing to do in the lab and what it must show; what makes it a learner's task is in Taught.

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

    def probe_paths(self) -> Iterator[tuple[tuple[str | int, ...], Probe]]:
        """Each probe with its place below the exercise."""
        yield from ((("probes", number), probe) for number, probe in enumerate(self.probes))
        for index, step in enumerate(self.steps):
            if step.across:
                yield ("steps", index, "across"), step.across
            yield from (
                (("steps", index, "probes", number), probe) for number, probe in enumerate(step.probes)
            )

    @property
    def closed(self) -> frozenset[str]:
        """The probes that may be seen nowhere but where the author expects them: all, none, or those with a walk."""
        if self.expect.elsewhere is None:
            return frozenset(self.expect.walk)
        return frozenset(probe.id for probe in self.every_probe() if self.expect.elsewhere == "absent")

    def every_action(self) -> tuple[Action, ...]:
        return self.apply + tuple(action for step in self.steps for action in step.apply)
