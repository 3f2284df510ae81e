"""A transfer by TCP: what the model says of its packets, small and large, how they are found again, and what is judged."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_address

import pytest

from srv6lab.capture.probes import find_all
from srv6lab.capture.reading import Capture
from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, PacketView, Tcp
from srv6lab.evidence.prediction import Hop, Leg, Prediction
from srv6lab.evidence.probes import Found, Sent, port_of
from srv6lab.evidence.verdict import Item, Status
from srv6lab.judge.compare import compare
from srv6lab.judge.compare.answers import judge_answers
from srv6lab.judge.diagnose.transfers import stalled
from srv6lab.live.send import command, listener, read_ping
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict

from .small import SMALL, planned

TOKEN = "0123456789abcdef" * 2
PORT = port_of(TOKEN)


def moving(*edits: tuple[str, str], tcp: int = 100_000) -> Plan:
    text = SMALL.replace("icmp: 3", f"tcp: {tcp}")
    text = (
        text[: text.index("      elsewhere")]
        + '      packets: [{at: "gate:eth2", direction: out, probe: echo}]\n'
    )
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return planned(text)


def predicted(plan: Plan) -> Prediction:
    (one,) = predict(plan, "across")
    return one


NARROW = ("mtu: 2000, ", "")


class TestModel:
    def test_a_segment_has_any_length_and_one_port_that_is_known(self) -> None:
        found = predicted(moving())
        there, back = (next(one for one in found.linux if one.leg is leg).hops[0].packet for leg in Leg)
        assert (there.ip_length, there.tcp, back.tcp) == (0, Tcp(None, 5000), Tcp(5000, None))
        assert there.outer.length_field is None and there.outer.protocol == "tcp"

    def test_the_largest_packets_fit(self) -> None:
        (one,) = predicted(moving()).largest
        assert one.end.delivered
        assert [hop.packet.ip_length for hop in one.hops] == [1500, 1500, 1580, 1580, 1500, 1500]

    def test_or_they_are_lost_and_only_the_headend_hears_of_it(self) -> None:
        (one,) = predicted(moving(NARROW)).largest
        assert one.end.too_big and (one.end.too_big.bytes, one.end.too_big.mtu) == (1580, 1500)
        assert (str(one.end.place), str(one.end.too_big.point)) == ("gate", "gate:eth2")

    def test_of_little_no_packet_is_large(self) -> None:
        (one,) = predicted(moving(NARROW, tcp=1000)).largest
        assert one.end.delivered and one.hops[0].packet.ip_length == 1052

    def test_a_sender_that_is_told_makes_them_smaller(self) -> None:
        """Without policies the router before the narrow link tells west (RFC 1191)."""
        text = SMALL[: SMALL.index("local_sids")] + SMALL[SMALL.index("exercises") :]
        text = text.replace('prefix: "2001:ab::/64", mtu: 2000', "prefix: 10.0.9.0/24, mtu: 1400")
        text = text.replace(
            'routes: [{prefix: "fc00:b::/64", via: "2001:ab::2"}]',
            "routes: [{prefix: 10.0.2.0/24, via: 10.0.9.2}]",
        )
        text = text.replace(
            'routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}]',
            "routes: [{prefix: 10.0.1.0/24, via: 10.0.9.1}]",
        )
        text = (
            text[: text.index("      elsewhere")]
            + '      packets: [{at: "gate:eth1", direction: in, probe: echo}]\n'
        )
        (one,) = predicted(planned(text.replace("icmp: 3", "tcp: 100000"))).largest
        assert one.end.delivered and one.hops[0].packet.ip_length == 1400

    def test_where_nothing_arrives_nothing_is_said_of_large_packets(self) -> None:
        plan = moving(
            (
                "routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]",
                "routes: [{prefix: 10.0.3.0/24, via: 10.0.1.2}]",
            )
        )
        assert predicted(plan).largest == ()


def seen(prediction: Prediction, *, data_until: int = 99, times: int = 2) -> tuple[Hop, ...]:
    """The walk there and back as it is captured: each packet some times, those with data up to a hop of the walk."""
    hops: list[Hop] = []
    for leg in Leg:
        (trace,) = [one for one in prediction.linux if one.leg is leg]
        for index, hop in enumerate(trace.hops):
            ports = Tcp(PORT, 5000) if leg is Leg.THERE else Tcp(5000, PORT)
            packet = replace(hop.packet, tcp=ports, length=80 + 1200 * (index % 2))
            data = replace(packet, payload=bytes.fromhex(TOKEN), length=1514)
            hops += [replace(hop, packet=packet)] * times
            hops += [replace(hop, packet=data)] * (leg is Leg.THERE and index <= data_until)
    return tuple(hops)


def judged(plan: Plan, found: Found) -> list[Item]:
    prediction = predicted(plan)
    tracers = {nic.point: Tracer(nic.point, "live") for nic in plan.traced()}
    verdict = compare(
        "across", [], {"echo": found}, tracers, elsewhere_absent=False, predicted={"echo": prediction}
    )
    return [item for item in verdict.items if item.status is not Status.PASS]


class TestJudge:
    def test_any_number_of_packets_is_right(self) -> None:
        plan = moving()
        for times in (1, 2, 500):
            found = Found(Sent("echo", 1, 1, TOKEN), seen(predicted(plan), times=times), counted=False)
            assert judged(plan, found) == []

    def test_none_at_all_is_wrong(self) -> None:
        plan = moving()
        hops = tuple(hop for hop in seen(predicted(plan)) if str(hop.point) != "east:eth1")
        found = Found(Sent("echo", 1, 0, TOKEN), hops, counted=False)
        assert {(item.kind, str(item.point)) for item in judged(plan, found)} >= {("missing", "east:eth1")}

    def test_a_header_is_judged_as_of_any_other_probe(self) -> None:
        plan = moving()
        hops = tuple(
            replace(hop, packet=replace(hop.packet, headers=(replace(hop.packet.outer, hop_limit=9), *hop.packet.headers[1:])))
            if str(hop.point) == "exit:eth2" and hop.direction is Direction.IN else hop
            for hop in seen(predicted(plan))
        )  # fmt: skip
        found = Found(Sent("echo", 1, 1, TOKEN), hops, counted=False)
        assert {(item.field, str(item.point)) for item in judged(plan, found)} == {("hop_limit", "exit:eth2")}

    def test_one_that_stalls_fails_with_the_senders_words(self) -> None:
        plan = moving()
        sent = Sent("echo", 1, 0, TOKEN, "stalled at 0 of 100000 bytes")
        (item,) = judged(plan, Found(sent, seen(predicted(plan)), counted=False))
        assert (item.kind, item.predicted, item.captured, item.note) == ("answers", "1", "0", sent.note)

    def test_one_that_has_to_stall_is_lost_by_design(self) -> None:
        plan = moving(NARROW)
        found = Found(Sent("echo", 1, 0, TOKEN), (), counted=False)
        (item,) = judge_answers(found, predicted(plan), ())
        assert (item.status, item.kind) == (Status.PASS, "lost")
        assert "1580 bytes are 80 more than the MTU 1500 of gate:eth2" in item.note

    def test_and_one_that_comes_whole_all_the_same_is_wrong(self) -> None:
        plan = moving(NARROW)
        found = Found(Sent("echo", 1, 1, TOKEN), (), counted=False)
        assert [item.kind for item in judge_answers(found, predicted(plan), ())] == ["lost", "count"]

    def test_where_the_model_knows_nothing_it_says_nothing(self) -> None:
        plan = moving(NARROW)
        prediction = predicted(plan)
        (one,) = prediction.largest
        unknown = replace(prediction, largest=(replace(one, end=replace(one.end, known=False)),))
        for received in (0, 1):
            found = Found(Sent("echo", 1, received, TOKEN), (), counted=False)
            assert [item.kind for item in judge_answers(found, unknown, ())] in ([], ["answers"])

    def test_while_the_lab_changes_nothing_is_said_of_answers(self) -> None:
        found = Found(Sent("echo", 1, 1, TOKEN), (), counted=False)
        changing = replace(predicted(moving()), meanwhile=True)
        points = {nic.point for nic in moving().traced()}
        assert [*judge_answers(found, changing, points)] == []


class TestDiagnosis:
    @pytest.mark.parametrize(("data_until", "nic", "size"), [(1, "gate:eth2", 1580), (3, "exit:eth1", 1500)])
    def test_the_first_nic_behind_which_no_data_comes(self, data_until: int, nic: str, size: int) -> None:
        plan = moving()
        found = Found(Sent("echo", 1, 0, TOKEN), seen(predicted(plan), data_until=data_until), counted=False)
        first = next(iter(stalled(plan, predicted(plan), found)))
        node, name = nic.split(":")
        assert (first.cause, first.node, dict(first.about)["nic"], dict(first.about)["bytes"]) == (
            "mtu",
            node,
            name,
            str(size),
        )

    def test_data_that_its_sender_never_sent(self) -> None:
        plan = moving()
        found = Found(Sent("echo", 1, 0, TOKEN), seen(predicted(plan), data_until=-1), counted=False)
        assert [(one.cause, one.node) for one in stalled(plan, predicted(plan), found)][:1] == [
            ("firewall", "east")
        ]


class TestFinding:
    def view(self, plan: Plan, tcp: Tcp | None, quoted: PacketView | None = None) -> PacketView:
        hop = predicted(plan).linux[0].hops[0]
        return replace(hop.packet, tcp=tcp, quoted=quoted)

    def test_by_its_ports_with_data_and_without(self) -> None:
        plan = moving()
        mine, back = self.view(plan, Tcp(PORT, 5000)), self.view(plan, Tcp(5000, PORT))
        other = self.view(plan, Tcp(PORT + 1, 5000))
        about = self.view(plan, None, quoted=mine)
        point = predicted(plan).linux[0].hops[0].point
        sent = {"echo": Sent("echo", 1, 1, TOKEN)}
        found = find_all(plan, plan.exercises[0].probes, {point: Capture((mine, back, other, about))}, sent)[
            "echo"
        ]
        assert [hop.packet for hop in found.hops] == [mine, back]
        assert ([hop.packet for hop in found.errors], found.counted) == ([about], False)

    def test_without_what_the_run_observed_it_is_not_found(self) -> None:
        plan = moving()
        found = find_all(plan, plan.exercises[0].probes, {}, {})["echo"]
        assert (found.sent.sent, found.hops) == (0, ())


class TestSending:
    def test_the_listener_and_the_sender(self) -> None:
        (probe,) = moving().exercises[0].probes
        to = ip_address("10.0.2.1")
        assert (listener(to, probe) or [])[-3:] == ["listen", "4", "5000"]
        words = command(to, probe, TOKEN)
        assert words[words.index("--from-port") + 1] == str(PORT)
        assert words[-3:] == ["100000", "10.0.2.1", "5000"]

    def test_what_it_said_is_read(self) -> None:
        said = read_ping(
            "echo", TOKEN, "1 packets transmitted, 0 received\nnote: stalled at 0 of 9 bytes\n", ""
        )
        assert said == Sent("echo", 1, 0, TOKEN, "stalled at 0 of 9 bytes")


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        port = made.getsockname()[1]
    yield port


class TestProgram:
    """On this machine's own loopback."""

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, capture_output=True, text=True, timeout=30)

    def words(self, port: int, tcp: int = 50_000) -> tuple[list[str], list[str]]:
        probe = moving(tcp=tcp).exercises[0].probes[0].model_copy(update={"port": port})
        to = ip_address("127.0.0.1")
        return listener(to, probe) or [], command(to, probe, TOKEN)

    def test_it_comes_whole(self) -> None:
        with free_port() as port:
            listening, sending = self.words(port)
            assert self.run(listening).stdout == "listening\n"
            said = self.run(sending)
        assert said.stdout == "1 packets transmitted, 1 received\nnote: 50000 of 50000 bytes, SHA-256 equal\n"

    def test_nobody_listens(self) -> None:
        with free_port() as port:
            said = self.run(self.words(port)[1])
        assert "note: no connection:" in said.stdout and said.returncode == 1

    def test_one_byte_that_is_another_is_seen(self) -> None:
        """Somebody answers for the listener that it got other bytes."""
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer() -> None:
                taken, _ = server.accept()
                with taken:
                    while taken.recv(1 << 16):
                        pass
                    taken.sendall(b"50000 " + b"0" * 64)

            thread = threading.Thread(target=answer)
            thread.start()
            said = self.run(self.words(server.getsockname()[1])[1])
            thread.join()
        assert "50000 of 50000 bytes, SHA-256 differs" in said.stdout and "0 received" in said.stdout
