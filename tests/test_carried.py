"""Packets by their identity along a walk, what a hop must leave alone, and the sender's own word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from srv6lab.evidence.packets import Direction, Icmp, IpHeader, PacketView, Place, Udp
from srv6lab.evidence.prediction import Choice, End, Hop, Leg, Prediction, Trace
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Status, Verdict
from srv6lab.judge.compare import compare
from tests.small import EAST, OTHER, PLACE, WEST, header, live, packet, shown

OUT, IN = (PLACE, Direction.OUT), (OTHER, Direction.IN)
DELIVERED, LOST = End(True, Place("east"), ""), End(False, Place("gate"), "no route to it")
INNER = replace(header(WEST, EAST, 64, "icmp"), identification=7)
OUTER = replace(header("2001:ab::1", "fc00:b::e", 63, "ipv4"), flow_label=0)


def echo(sequence: int, *headers: IpHeader, kind: int = 8, payload: bytes = b"token") -> PacketView:
    return packet(*(headers or (INNER,)), icmp=Icmp(kind, 0, 9, sequence), payload=payload)


def trace(*spots: tuple[object, Direction], leg: Leg = Leg.THERE, end: End = DELIVERED) -> Trace:
    hops = tuple(Hop(point, direction, echo(1)) for point, direction in spots or (OUT, IN))  # type: ignore[arg-type]
    return Trace("echo", leg, hops, end, Fraction(1))


def judged(seen: Sequence[Hop], *walks: Trace, received: int = 3, meanwhile: bool = False) -> Verdict:
    found = {"echo": Found(Sent("echo", 3, received, "aa"), tuple(seen))}
    walks = walks or (trace(),)
    predicted = {"echo": Prediction("echo", walks, walks, meanwhile)}
    return compare("across", (), found, live(), elsewhere_absent=False, predicted=predicted)


def at(spot: tuple[object, Direction], *packets: PacketView) -> list[Hop]:
    return [Hop(spot[0], spot[1], one) for one in packets]  # type: ignore[arg-type]


def wrong(verdict: Verdict) -> list[tuple[str, str | None, str | None]]:
    return [(one.field, one.predicted, one.captured) for one in verdict.items if one.status is Status.FAIL]


THREE = [echo(n) for n in (1, 2, 3)]


def test_the_same_packets_at_every_hop_pass() -> None:
    assert wrong(judged([*at(OUT, *THREE), *at(IN, *reversed(THREE))])) == []


def test_one_lost_and_one_doubled_is_not_three() -> None:
    found = judged([*at(OUT, *THREE), *at(IN, THREE[0], THREE[2], THREE[2])])
    assert wrong(found) == [
        (
            "packets",
            "each packet on one of the walks",
            "sequence 2 seen 0 times for 1, sequence 3 seen 2 times for 1",
        )
    ]


def test_a_flow_that_leaves_on_one_walk_and_arrives_on_another_is_seen() -> None:
    other = (PLACE, Direction.IN), (OTHER, Direction.OUT)
    walks = replace(trace(), share=Fraction(1, 2)), replace(trace(*other), share=Fraction(1, 2))
    good = [*at(OUT, *THREE), *at(IN, *THREE)]
    assert wrong(judged(good, *walks)) == []
    crossed = [*at(OUT, *THREE), *at(other[1], *THREE)]
    assert wrong(judged(crossed, *walks))


def test_while_the_lab_changes_a_packet_may_end_on_the_way() -> None:
    walks = trace(), trace(OUT, (PLACE, Direction.IN))
    seen = [*at(OUT, *THREE), *at(IN, *THREE[:2])]
    assert wrong(judged(seen, *walks, meanwhile=True, received=2)) == []
    assert wrong(judged(seen, *walks)) != []


def test_while_the_lab_changes_one_that_was_seen_later_was_there_before() -> None:
    walks = trace(OUT, IN, (OTHER, Direction.OUT)), trace(OUT, (PLACE, Direction.IN))
    seen = [*at(OUT, *THREE), *at(IN, *THREE[:2]), *at((OTHER, Direction.OUT), *THREE)]
    ((name, _, words),) = wrong(judged(seen, *walks, meanwhile=True))
    assert (name, words) == ("packets", "sequence 3 seen 0 times for 1")


def test_while_the_lab_changes_a_flow_may_change_its_way() -> None:
    """Of two segment lists the first may be lost before the other is."""
    choices = [
        Choice("route", Place("gate"), way, number, 2, all_=True) for number, way in enumerate(("a", "b"))
    ]
    walks = [
        replace(trace(*spots), choices=(choice,))
        for spots, choice in zip(((OUT, IN), (OUT, (OTHER, Direction.OUT))), choices, strict=True)
    ]
    seen = [*at(OUT, *THREE), *at(IN, *THREE[:2]), *at((OTHER, Direction.OUT), THREE[2])]
    assert wrong(judged(seen, *walks, meanwhile=True, received=3)) == []
    ((name, expected, words),) = wrong(judged(seen, *walks, received=3))
    assert (name, expected, words) == ("packets", "all by one way", "2 to a and 1 to b")


def test_while_the_lab_changes_one_that_was_answered_arrived() -> None:
    turned = replace(INNER, source=INNER.destination, destination=INNER.source)
    answers = [echo(n, turned, kind=0) for n in (1, 2, 3)]
    back = replace(trace(leg=Leg.BACK), hops=(Hop(OTHER, Direction.OUT, answers[0]),))
    walks = trace(), trace(OUT, (PLACE, Direction.IN)), back
    seen = [*at(OUT, *THREE), *at(IN, *THREE[:2]), *at((OTHER, Direction.OUT), *answers)]
    ((name, _, words),) = wrong(judged(seen, *walks, meanwhile=True, received=0))
    assert (name, words) == ("packets", "sequence 3 seen 0 times for 1")


def test_while_the_lab_changes_the_sender_got_no_answer_that_its_nic_does_not_show() -> None:
    turned = replace(INNER, source=INNER.destination, destination=INNER.source)
    answers = [echo(n, turned, kind=0) for n in (1, 2, 3)]
    hops = Hop(OTHER, Direction.OUT, answers[0]), Hop(PLACE, Direction.IN, answers[0])
    back = replace(trace(leg=Leg.BACK), hops=hops)
    walks = trace(), trace(OUT, (OTHER, Direction.OUT)), back, replace(back, hops=hops[:1], end=LOST)
    sent = [*at(OUT, *THREE), *at(IN, *THREE), *at((OTHER, Direction.OUT), *answers)]
    seen = [*sent, *at((PLACE, Direction.IN), *answers[:2])]
    assert wrong(judged(seen, *walks, meanwhile=True, received=2)) == []
    assert wrong(judged(seen, *walks, meanwhile=True, received=3)) == [("packets", "3", "2 answers")]


def test_what_tshark_takes_for_a_time_is_no_change() -> None:
    whole = [echo(n, payload=bytes(16) + b"token") for n in (1, 2, 3)]
    shorter = [replace(one, payload=b"token", echo_time="1970") for one in whole]
    assert wrong(judged([*at(OUT, *whole), *at(IN, *shorter)])) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (echo(1, replace(INNER, identification=8)), "identification"),
        (replace(THREE[0], icmp=Icmp(8, 0, 10, 1)), "icmp.identifier"),
        (replace(THREE[0], icmp=Icmp(8, 0, 9, 1, checksum=5)), "icmp.checksum"),
        (echo(1, payload=b"tokem"), "payload"),
        (replace(THREE[0], echo_time="now"), "echo_time"),
    ],
)
def test_what_a_hop_must_leave_alone(changed: PacketView, field: str) -> None:
    ((name, before, _),) = wrong(judged([*at(OUT, *THREE), *at(IN, changed, *THREE[1:])]))
    assert (name, (before or "").endswith(" as before")) == (field, True)


def test_headers_are_paired_from_the_innermost_and_remembered_while_they_are_off() -> None:
    walk = trace(OUT, IN, (OTHER, Direction.OUT))
    tunnel = [echo(n, OUTER, INNER) for n in (1, 2, 3)]
    again = [echo(n, replace(OUTER, flow_label=5), INNER) for n in (1, 2, 3)]
    seen = [*at(OUT, *tunnel), *at(IN, *THREE), *at((OTHER, Direction.OUT), *again)]
    assert ("flow_label", "0 as before", "5") in wrong(judged(seen, walk))
    others = [echo(n, replace(OUTER, source=again[0].outer.destination), INNER) for n in (1, 2, 3)]
    seen = [*at(OUT, *tunnel), *at(IN, *THREE), *at((OTHER, Direction.OUT), *others)]
    assert not any(name == "flow_label" for name, _, _ in wrong(judged(seen, walk)))


def test_an_answer_repeats_what_was_asked() -> None:
    back = trace((OTHER, Direction.OUT), leg=Leg.BACK)
    replies = [echo(n, kind=0, payload=b"token") for n in (1, 2, 3)]
    seen = [*at(OUT, *THREE), *at(IN, *THREE)]
    good = judged([*seen, *at((OTHER, Direction.OUT), *replies)], trace(), back)
    assert not any(name == "payload" for name, _, _ in wrong(good))
    other = [echo(n, kind=0, payload=b"other") for n in (1, 2, 3)]
    assert any(name == "payload" for name, _, _ in wrong(judged([*seen, *at((OTHER, Direction.OUT), *other)], trace(), back)))  # fmt: skip


def test_a_udp_checksum_may_be_computed_on_the_way_and_not_be_broken() -> None:
    """What is left to a NIC is the sum of the pseudo header, from which it goes on."""
    half = 0x0A00 + 0x0101 + 0x0A00 + 0x0201 + 64 + 17

    def datagram(checksum: int, status: int) -> PacketView:
        return replace(packet(INNER, payload=b"token"), udp=Udp(20000, 5000, 64, checksum, status))

    def differs(before: PacketView, after: PacketView) -> bool:
        found = judged([*at(OUT, before), *at(IN, after)], trace())
        return any(name == "udp.checksum" for name, _, _ in wrong(found))

    assert not differs(datagram(half, 0), datagram(2, 1))
    assert differs(datagram(half + 1, 0), datagram(2, 1))
    assert differs(datagram(half, 0), datagram(2, 0))
    assert differs(datagram(2, 1), datagram(half, 0))


def test_answers_count_by_the_senders_word() -> None:
    home = End(True, PLACE.place, "")
    back = trace((OTHER, Direction.OUT), leg=Leg.BACK, end=home)
    replies = at((OTHER, Direction.OUT), *[echo(n, kind=0) for n in (1, 2, 3)])
    seen = [*at(OUT, *THREE), *at(IN, *THREE), *replies]
    assert not any(name == "answers" for name, _, _ in wrong(judged(seen, trace(), back)))
    assert ("answers", "3", "0") in wrong(judged(seen, trace(), back, received=0))


def test_what_is_lost_by_design_says_where() -> None:
    found = judged([*at(OUT, *THREE), *at(IN, *THREE)], trace(end=LOST), received=0)
    assert ("lost", "pass") in shown(found)
    assert any(one.note == "LOST at gate: no route to it" for one in found.items)
