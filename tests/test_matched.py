"""Each captured packet of a probe stands at the hop of the model that it is of, or at none."""

from __future__ import annotations

from dataclasses import replace

from srv6lab.evidence.packets import Icmp, IpHeader, PacketView, Tcp
from srv6lab.evidence.prediction import Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found, Sent
from srv6lab.judge.matched import Match, matched
from srv6lab.predict import predict
from tests.small import planned

(PREDICTION,) = predict(planned(), "across")
THERE = next(one for one in PREDICTION.linux if one.leg is Leg.THERE)


def walked(trace: Trace = THERE, sequence: int = 1) -> list[Hop]:
    """A packet of the probe, captured wherever the model has it."""
    return [replace(hop, packet=numbered(hop.packet, sequence)) for hop in trace.hops]


def numbered(packet: PacketView, sequence: int) -> PacketView:
    assert packet.icmp
    return replace(packet, icmp=replace(packet.icmp, sequence=sequence))


def match(hops: list[Hop], errors: tuple[Hop, ...] = (), prediction: Prediction = PREDICTION) -> list[Match]:
    return matched(Found(Sent("echo", 3, 3, "aa"), tuple(hops), errors=errors), prediction)


def steps(matches: list[Match]) -> list[int | None]:
    return [one.at.step if one.at else None for one in matches]


def test_each_packet_is_followed_along_its_walk() -> None:
    back = next(one for one in PREDICTION.linux if one.leg is Leg.BACK)
    found = match([*walked(sequence=2), *walked(), *walked(back, sequence=1)])
    along = [*range(len(THERE.hops))]
    assert steps(found) == [*along, *along, *range(len(back.hops))]
    assert not any(one.differs or one.last for one in found)
    assert all(one.rfc and one.linux and one.rfc.hop.point == one.point for one in found)


def test_what_differs_is_told() -> None:
    hops = walked()
    outer = replace(hops[2].packet.outer, hop_limit=9)
    hops[2] = replace(hops[2], packet=replace(hops[2].packet, headers=(outer, *hops[2].packet.headers[1:])))
    found = match(hops)
    assert [(one.field, one.captured) for one in found[2].differs] == [("hop_limit", "9")]
    assert steps(found) == [*range(len(THERE.hops))]


def test_the_last_that_was_seen_of_a_lost_packet_is_marked() -> None:
    found = match(walked()[:3])
    assert [one.last for one in found] == [False, False, True]


def test_what_the_model_does_not_have_is_at_no_hop() -> None:
    twice = [*walked(), walked()[0]]
    found = match(twice)
    assert steps(found) == [*range(len(THERE.hops)), None]
    elsewhere = replace(walked()[0], direction=walked()[1].direction)
    assert steps(match([elsewhere])) == [None]


def test_a_segment_of_tcp_is_at_the_hop_that_it_is_most_like() -> None:
    hop = THERE.hops[2]
    segment = replace(hop.packet, icmp=None, tcp=Tcp(1, 2))
    assert steps(match([replace(hop, packet=segment)] * 2)) == [2, 2]
    strange = replace(segment, headers=tuple(map(turned, segment.headers)))
    assert steps(match([replace(hop, packet=strange)])) == [None]


def turned(header: IpHeader) -> IpHeader:
    return replace(header, source=header.destination, destination=header.source, srh=None)


def test_an_error_about_a_packet_is_told_as_such() -> None:
    hop = THERE.hops[0]
    error = replace(hop, packet=replace(hop.packet, icmp=Icmp(11, 0)))
    (one,) = match([], (error,))
    assert one.error and one.at is None


def test_walks_that_part_have_hops_of_their_own() -> None:
    """From where the RFC lets a packet go on and Linux doesn't, only the RFC has the hop."""
    short = replace(PREDICTION, linux=(replace(THERE, hops=THERE.hops[:3]),))
    found = match(walked(), prediction=short)
    assert [bool(one.linux) for one in found] == [True] * 3 + [False] * (len(THERE.hops) - 3)
    assert all(one.rfc for one in found)
