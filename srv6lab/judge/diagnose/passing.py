"""The ways of the probes' packets through the namespaces of a lab, as the model has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from srv6lab.evidence.packets import Address, Direction, Place
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.judge.diagnose.everyday import next_hops
from srv6lab.plan.nodes import Plan, PlannedNode


@dataclass(frozen=True, slots=True)
class Passing:
    """A packet's way through a namespace: how it came, None where it begins, and how it leaves, None where it ends."""

    node: PlannedNode
    place: Place
    came: Hop | None
    out: Hop | None

    def hops(self) -> tuple[Hop, ...]:
        return tuple(hop for hop in (self.came, self.out) if hop)

    def nics(self) -> frozenset[str]:
        """Those that it comes and goes by, and a proxy's ports to its services, which nobody traces."""
        ports = {nic for proxy in self.node.proxies for nic in (proxy.to, proxy.back)}
        return frozenset(hop.point.nic for hop in self.hops()) | (ports if not self.place.netns else set())

    def addresses(self) -> frozenset[Address]:
        """All that headers name here, and SIDs' next hops: a node looks up destinations, and sources where it filters
        or answers."""
        headers = (header for hop in self.hops() for header in hop.packet.headers)
        ends = [end for header in headers for end in (header.source, header.destination)]
        return frozenset([*ends, *next_hops(self.node, self.came)])


def passings(plan: Plan, predicted: Mapping[str, Prediction]) -> Iterator[Passing]:
    """Every way of the probes' packets through a namespace, as the model has it."""
    for prediction in predicted.values():
        for trace in prediction.linux:
            came: Hop | None = None
            for hop in trace.hops:
                if hop.direction is Direction.OUT:
                    here = came if came and came.point.place == hop.point.place else None
                    yield Passing(plan.node(hop.point.node), hop.point.place, here, hop)
                    came = None
                else:
                    came = hop
            if came:
                yield Passing(plan.node(came.point.node), came.point.place, came, None)
