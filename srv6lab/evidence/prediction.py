"""The walks that a probe's packets may take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from srv6lab.evidence.packets import Direction, PacketView, Place, Point


@dataclass(frozen=True, slots=True)
class Hop:
    """One packet at one point; a prediction adds which behaviors acted and why, and which of the kernel's
    departures from the RFC have formed the packet so far."""

    point: Point
    direction: Direction
    packet: PacketView
    behaviors: tuple[str, ...] = ()
    reason: str = ""
    quirks: tuple[str, ...] = ()


class Leg(StrEnum):
    """Which way of a probe: the packet that was sent, or the answer to it."""

    THERE = "there"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class TooBig:
    """A packet of so many bytes for a NIC with a smaller MTU."""

    point: Point
    bytes: int
    mtu: int


@dataclass(frozen=True, slots=True)
class End:
    """How a packet's walk ends: `delivered` at a place, or not, and why. Of one that isn't `known` the model can't tell:
    from the place on it isn't modeled. `too_big` says for which NIC, if that is why."""

    delivered: bool
    place: Place
    reason: str
    known: bool = True
    too_big: TooBig | None = None

    @property
    def word(self) -> str:
        """What comes before the place."""
        return "delivered to" if self.delivered else "LOST at" if self.known else "not modeled from"

    def __str__(self) -> str:
        return f"{self.word} {self.place}{'' if self.known else ' on'}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Choice:
    """That a node took one of the `ways` of a route, the number `taken`, for flows that don't part by the route's
    weights: for `all_` of them the same, or for each any. `key` says which route and packets."""

    key: str
    place: Place
    way: str
    taken: int
    ways: int
    all_: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """One walk that is permitted to a probe's packets; `share` is the part of the flows that take it, if the
    `choices` were so. `counted` names the counters that a packet on this walk adds one to. `number` is the packet's of
    which it is, 0 if all are alike."""

    probe: str
    leg: Leg
    hops: tuple[Hop, ...]
    end: End
    share: Fraction = Fraction(1)
    counted: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Prediction:
    """The walks that a probe's packets may take: by the RFC alone, and by the RFC with the kernel's known
    departures from it. `meanwhile` says that the lab changes while they are sent: then no share is known. `told` are
    the walks of ICMP errors of which the sender may be told: a node doesn't send one for each packet. `largest` are
    those of a transfer's largest packets, on their way there."""

    probe: str
    rfc: tuple[Trace, ...]
    linux: tuple[Trace, ...]
    meanwhile: bool = False
    told: tuple[Trace, ...] = ()
    largest: tuple[Trace, ...] = ()

    def parts(self) -> Iterator[tuple[int, Prediction]]:
        """By the number of the packet that they are of: a probe whose packets are alike has one part, 0."""
        numbers = sorted({one.number for one in (*self.rfc, *self.linux, *self.told)} - {0})
        if not numbers:
            yield 0, self
        for number in numbers:
            rfc, linux, told = (
                tuple(one for one in them if one.number == number)
                for them in (self.rfc, self.linux, self.told)
            )
            yield number, replace(self, rfc=rfc, linux=linux, told=told)

    def known(self, leg: Leg) -> bool:
        """Whether the model knows all walks of a leg: none back, where it doesn't know all that lead there."""
        ends = (one for one in (*self.rfc, *self.linux) if one.leg in (leg, Leg.THERE))
        return all(one.end.known for one in ends)

    def heard(self, back: Trace) -> bool:
        """Whether an answer comes to the sender, and not to another node that has its address."""
        starts = {one.hops[0].point.place for one in self.linux if one.leg is Leg.THERE and one.hops}
        return back.end.delivered and (not starts or back.end.place in starts)

    @property
    def open(self) -> bool:
        """Whether packets may be where the model doesn't foresee them."""
        return not self.known(Leg.BACK)
