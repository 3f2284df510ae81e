"""What the author of a lab wrote for an exercise, as what is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Network
from itertools import count

from srv6lab.errors import Location
from srv6lab.evidence.fields import expected
from srv6lab.evidence.packets import Address, Direction, IpHeader, PacketView, Point, plain
from srv6lab.evidence.shares import Shares
from srv6lab.plan.nodes import Plan
from srv6lab.topology.expectations import AlertExpectation, PacketExpectation


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation: `fields` by name, `count` None for one a packet of the probe; with a `share` as many as are
    likely if each of its flows comes here with that probability.

    `flow` holds the innermost (source, destination) as far as the author named them: it tells which
    of the probe's packets are meant, the way there or the way back. An author who named only one header's means that
    one, be it the tunnel's: the `outermost`.
    """

    point: Point
    direction: Direction
    probe: str
    fields: tuple[tuple[str, str], ...]
    flow: tuple[Address | None, Address | None]
    count: int | None
    absent: bool
    location: Location
    share: Shares | None = None
    outermost: bool = False

    def means(self, packet: PacketView) -> bool:
        header = packet.outer if self.outermost and not self._goes_to(packet.innermost) else packet.innermost
        return self._goes_to(header)

    def _goes_to(self, header: IpHeader) -> bool:
        ends = zip(self.flow, (header.source, header.destination), strict=True)
        return all(wanted is None or wanted == seen for wanted, seen in ends)

    def mismatches(self, described: Mapping[str, str]) -> int:
        """In how many fields a packet differs; in one that isn't described it doesn't."""
        return sum(described.get(name, value) != value for name, value in self.fields)


def expectations(plan: Plan, exercise: str) -> tuple[Expected, ...]:
    """What the author of the lab wrote for one exercise, in the order of the file."""
    found = plan.exercise(exercise)[1].expect.packets
    return tuple(map(_expected, found, _locations(plan, exercise, "packets")))


def _locations(plan: Plan, exercise: str, kind: str) -> Iterator[Location]:
    """Where the first, the second, … expectation of a kind is written."""
    index, _ = plan.exercise(exercise)
    return (plan.locate("exercises", index, "expect", kind, number) for number in count())


@dataclass(frozen=True, slots=True)
class ExpectedAlert:
    """An alert that must (or with `absent` must not) come; `point` is where the sensor looks."""

    service: str
    point: Point
    signature: int
    fields: tuple[tuple[str, str], ...]
    count: int | None
    absent: bool
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedCount:
    """How many packets a counter must have counted."""

    counter: str
    packets: int
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedAnswers:
    """How many of a probe's echo requests must be answered, at least and at most, at the node that sent them."""

    probe: str
    node: str
    least: int
    most: int
    location: Location


@dataclass(frozen=True, slots=True)
class ExpectedSids:
    """A field that holds the SIDs of a node, in its locator and bound to a behavior in its kernel."""

    field: str
    node: str
    behavior: str
    locator: IPv6Network | None


@dataclass(frozen=True, slots=True)
class ExpectedMessage:
    """The last message of a protocol for which `where` holds has these `fields`: each with all of its values."""

    point: Point
    direction: Direction
    protocol: str
    where: tuple[tuple[str, tuple[str, ...]], ...]
    fields: tuple[tuple[str, tuple[str, ...]], ...]
    sids: tuple[ExpectedSids, ...]
    location: Location


def expected_messages(plan: Plan, exercise: str) -> tuple[ExpectedMessage, ...]:
    _, found = plan.exercise(exercise)
    return tuple(
        ExpectedMessage(
            one.point,
            Direction(one.direction),
            one.protocol,
            _plain(one.where),
            _plain(one.fields),
            tuple(
                ExpectedSids(sids.field, sids.node, sids.behavior, plan.node(sids.node).locator)
                for sids in one.sids
            ),
            location,
        )
        for one, location in zip(found.expect.control, _locations(plan, exercise, "control"), strict=False)
    )


def _plain(fields: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(map(plain, values))) for name, values in fields.items())


def expected_alerts(plan: Plan, exercise: str) -> tuple[ExpectedAlert, ...]:
    _, found = plan.exercise(exercise)
    return tuple(
        _alert(plan, one, location)
        for one, location in zip(found.expect.alerts, _locations(plan, exercise, "alerts"), strict=False)
    )


def expected_counts(plan: Plan, exercise: str) -> tuple[ExpectedCount, ...]:
    _, found = plan.exercise(exercise)
    return tuple(
        ExpectedCount(
            f"firewall {one.firewall}" if one.firewall else f"sid {one.sid}",
            one.packets,
            location,
        )
        for one, location in zip(found.expect.counters, _locations(plan, exercise, "counters"), strict=False)
    )


def expected_answers(plan: Plan, exercise: str) -> tuple[ExpectedAnswers, ...]:
    index, found = plan.exercise(exercise)
    return tuple(
        ExpectedAnswers(
            probe.id, probe.source, *probe.answers, plan.locate("exercises", index, *path, "answered")
        )
        for path, probe in found.probe_paths()
        if probe.answers
    )


def _alert(plan: Plan, one: AlertExpectation, location: Location) -> ExpectedAlert:
    node, service = plan.service(one.service)
    tunnel = one.tunnel
    wanted = {
        "source": one.source,
        "destination": one.destination,
        "tunnel_source": tunnel.source if tunnel else None,
        "tunnel_destination": tunnel.destination if tunnel else None,
    }
    fields = tuple((name, str(value)) for name, value in wanted.items() if value is not None)
    point = Point(node.name, service.listen, service.netns)
    return ExpectedAlert(one.service, point, one.signature, fields, one.count, one.absent, location)


def _expected(one: PacketExpectation, location: Location) -> Expected:
    flow: tuple[Address | None, Address | None] = (one.source, one.destination)
    if one.inner:
        flow = (one.inner.source, one.inner.destination)
    elif one.segment_list:
        flow = (None, None)  # the outer addresses are the tunnel's, not the flow's
    return Expected(
        point=one.point,
        direction=Direction(one.direction),
        probe=one.probe,
        fields=tuple(expected(one)),
        flow=flow,
        count=one.count,
        absent=one.absent,
        location=location,
        share=Shares.written(one.share) if one.share else None,
        outermost=one.inner is None,
    )
