"""What came of sending a probe, and where its packets were seen."""

from __future__ import annotations

from dataclasses import dataclass

from srv6lab.evidence.packets import Point
from srv6lab.evidence.prediction import Hop


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a probe: `sent` and `received` packets as the sender counts them,
    `token` in hex ("" for a ping that a learner typed), and the sender's words if it failed, or of what came of a
    transfer."""

    probe: str
    sent: int
    received: int
    token: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A probe's packets in a set of captures; `errors` are ICMP's about them, `doubtful` frames that may be its, or may not.
    Of one that isn't `counted` nobody knows how many there are."""

    sent: Sent
    hops: tuple[Hop, ...]
    undirected: tuple[Point, ...] = ()
    errors: tuple[Hop, ...] = ()
    doubtful: tuple[tuple[Point, int], ...] = ()
    counted: bool = True


def port_of(token: str) -> int:
    """The port that a transfer comes from, by its token in hex: below those that Linux gives away itself."""
    return 20000 + int(token[:8], 16) % 12000
