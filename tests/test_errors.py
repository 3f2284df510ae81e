"""ICMP errors: which the model foresees, and how those that were captured are judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srv6lab.evidence.packets import Direction, Icmp, PacketView, Udp
from srv6lab.evidence.prediction import Hop, Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Status
from srv6lab.judge.compare.errors import judge_errors
from srv6lab.predict import predict
from tests.small import SMALL, planned

NO_ROUTE = SMALL.replace(
    '  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::e", "fc00:b::d4"]}}\n', ""
)
CLOSED = SMALL.replace("icmp: 3", "udp: 3")
SENT = Sent("echo", 3, 0, "aa")


def told(text: str) -> Prediction:
    (prediction,) = predict(planned(text), "across")
    return prediction


def shown(prediction: Prediction) -> list[list[str]]:
    return [
        [
            f"{hop.point} {hop.direction} {hop.packet.innermost.source} hl {hop.packet.innermost.hop_limit}"
            for hop in one.hops
        ]
        for one in prediction.told
    ]


def seen(prediction: Prediction, sequence: int = 1) -> list[Hop]:
    """An error as the model has it, about one packet."""
    quoted = replace(prediction.linux[0].hops[0].packet, icmp=Icmp(8, 0, 7, sequence))
    return [replace(hop, packet=replace(hop.packet, quoted=quoted)) for hop in prediction.told[0].hops]


def judged(prediction: Prediction, errors: Sequence[Hop]) -> list[tuple[Status, str]]:
    found = Found(SENT, (), errors=tuple(errors))
    sound = {hop.point for hop in prediction.told[0].hops} if prediction.told else set()
    return [(item.status, item.field or item.kind) for item in judge_errors(found, prediction, sound)]


class TestTheModel:
    def test_where_there_is_no_route_the_source_is_told(self) -> None:
        prediction = told(NO_ROUTE)
        assert shown(prediction) == [["gate:eth1 out 10.0.1.2 hl 64", "west:eth1 in 10.0.1.2 hl 64"]]
        first = prediction.told[0].hops[0].packet
        assert first.icmp == Icmp(3, 0, 0, 0, checksum_status=1)
        assert (first.innermost.traffic_class, first.length) == (0xC0, 14 + 20 + 8 + 84)

    def test_where_nobody_listens_the_source_is_told_through_the_tunnel(self) -> None:
        prediction = told(CLOSED)
        assert prediction.linux[0].end.delivered
        (error,) = prediction.told
        assert (str(error.hops[0].point), str(error.hops[-1].point)) == ("east:eth1", "west:eth1")
        assert error.hops[-1].packet.icmp == Icmp(3, 3, 0, 0, checksum_status=1)

    def test_of_an_echo_that_arrives_nobody_is_told(self) -> None:
        assert told(SMALL).told == ()


class TestTheVerdict:
    def test_an_error_as_the_model_has_it_is_right(self) -> None:
        prediction = told(NO_ROUTE)
        errors = [*seen(prediction, 1), *seen(prediction, 3)]
        assert {status for status, _ in judged(prediction, errors)} == {Status.PASS}

    def test_none_need_come(self) -> None:
        assert judged(told(NO_ROUTE), []) == []

    def changed(self, **fields: object) -> list[tuple[Status, str]]:
        prediction = told(NO_ROUTE)
        first, *rest = seen(prediction)
        return judged(prediction, [replace(first, packet=replace(first.packet, **fields)), *rest])  # type: ignore[arg-type]

    def test_another_field_is_wrong(self) -> None:
        assert (Status.FAIL, "icmp.code") in self.changed(icmp=Icmp(3, 1, checksum_status=1))
        assert (Status.FAIL, "icmp.checksum") in self.changed(icmp=Icmp(3, 0, checksum_status=0))
        assert (Status.FAIL, "length") in self.changed(length=99)

    def test_one_that_is_gone_on_the_way_is_missed(self) -> None:
        prediction = told(NO_ROUTE)
        assert (Status.FAIL, "packets") in judged(prediction, seen(prediction)[1:])

    def test_one_where_none_comes_is_unexpected(self) -> None:
        prediction = told(NO_ROUTE)
        stray = replace(seen(prediction)[0], direction=Direction.IN)
        assert (Status.FAIL, "count") in judged(prediction, [*seen(prediction), stray])

    def test_one_about_a_packet_that_arrives_is_unexpected(self) -> None:
        assert (Status.FAIL, "count") in judged(told(SMALL), seen(told(NO_ROUTE)))

    def test_where_the_model_knows_none_of_a_lost_packet_any_may_come(self) -> None:
        silent = replace(told(NO_ROUTE), told=())
        assert judged(silent, seen(told(NO_ROUTE))) == []

    def test_while_the_lab_changes_any_may_come(self) -> None:
        assert judged(replace(told(SMALL), meanwhile=True), seen(told(NO_ROUTE))) == []

    def test_flows_are_told_apart_by_their_ports(self) -> None:
        prediction = told(CLOSED)

        def about(port: int) -> list[Hop]:
            def quoting(packet: PacketView) -> PacketView:
                return replace(packet, quoted=replace(packet, icmp=None, udp=Udp(port, 5000)))

            return [replace(hop, packet=quoting(hop.packet)) for hop in prediction.told[0].hops]

        assert {status for status, _ in judged(prediction, [*about(9), *about(10)])} == {Status.PASS}
        assert (Status.FAIL, "packets") in judged(prediction, [*about(9), *about(10)[1:]])
