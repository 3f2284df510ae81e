"""Echo requests with growing hop limits: who answers them by the model, by the captures, and by the program's own word."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
from dataclasses import replace
from ipaddress import ip_address

import pytest

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Icmp, PacketView
from srv6lab.evidence.prediction import Hop, Leg, Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import AnswerTally, HopTally, Item, Status
from srv6lab.inside import traceroute
from srv6lab.judge.compare import compare, judge_answered
from srv6lab.judge.compare.hops import _answerers, expected_hops, judge_hops
from srv6lab.judge.diagnose.silent_hops import silent
from srv6lab.judge.expectations import expected_answers
from srv6lab.judge.parts import parts
from srv6lab.live.send import command
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict

from .small import SMALL, planned

TOKEN = "ab" * 16


def tracing(hops: str = "", most: int = 4) -> Plan:
    text = SMALL.replace("icmp: 3", f"traceroute: {most}{hops}")
    return planned(text[: text.index("    expect:")] + "    expect: {}\n")


def predicted(plan: Plan) -> Prediction:
    (one,) = predict(plan, "across")
    return one


def numbered(packet: PacketView, number: int) -> PacketView:
    return replace(
        packet, payload=bytes.fromhex(TOKEN), icmp=packet.icmp and replace(packet.icmp, sequence=number)
    )


def seen(prediction: Prediction, without: tuple[tuple[int, str], ...] = ()) -> Found:
    """All that the model says, as it would be captured, but the answers to some packets from some points on."""
    hops = [
        replace(hop, packet=numbered(hop.packet, trace.number))
        for trace in prediction.linux
        for hop in trace.hops
    ]
    errors: list[Hop] = []
    for trace in prediction.told:
        quoted = numbered(prediction.linux[0].hops[0].packet, trace.number)
        for hop in trace.hops if trace.end.delivered else ():
            if any(number == trace.number and str(hop.point) == point for number, point in without):
                break
            errors.append(replace(hop, packet=replace(hop.packet, quoted=quoted)))
    sent = Sent("echo", len({one.number for one in prediction.linux}), 2, TOKEN)
    return Found(sent, tuple(hops), errors=tuple(errors))


def judged(plan: Plan, found: Found) -> tuple[list[Item], HopTally]:
    """What isn't a pass of its packets, and what came of its hops."""
    prediction = {"echo": predicted(plan)}
    tracers = {nic.point: Tracer(nic.point, "live") for nic in plan.traced()}
    verdict = compare("across", [], {"echo": found}, tracers, elsewhere_absent=False, predicted=prediction)
    (tally,) = judge_hops(plan, expected_hops(plan, "across"), {"echo": found}, prediction, tracers)
    assert isinstance(tally, HopTally)
    return [item for item in verdict.items if item.status is not Status.PASS], tally


class TestModel:
    def test_each_packet_has_walks_of_its_own(self) -> None:
        prediction = predicted(tracing())
        assert [number for number, _ in prediction.parts()] == [1, 2, 3, 4]
        ends = [part.linux[0].end.place.node for _, part in prediction.parts()]
        assert ends == ["exit", "east", "east", "east"]

    def test_other_probes_have_one_part(self) -> None:
        prediction = predicted(planned())
        assert [*prediction.parts()] == [(0, prediction)]
        assert [*Prediction("echo", (), ()).parts()] == [(0, Prediction("echo", (), ()))]


class TestJudge:
    def test_all_as_the_model_says(self) -> None:
        plan = tracing()
        wrong, tally = judged(plan, seen(predicted(plan)))
        assert wrong == []
        assert (tally.status, tally.predicted, tally.captured) == (Status.PASS, "exit, east", "exit, east")

    @pytest.mark.parametrize("hops", ["exit, east", "10.0.2.2, 10.0.2.1", "exit, 10.0.2.1"])
    def test_names_and_addresses(self, hops: str) -> None:
        plan = tracing(f", hops: [{hops}]")
        assert judged(plan, seen(predicted(plan)))[1].status is Status.PASS

    @pytest.mark.parametrize(
        "hops", ["gate, east", '"*", east', "exit", "exit, east, east", "2001:ab::2, east"]
    )
    def test_an_author_who_is_wrong_stands_alone(self, hops: str) -> None:
        plan = tracing(f", hops: [{hops}]".replace("2001:ab::2", '"2001:ab::2"'))
        tally = judged(plan, seen(predicted(plan)))[1]
        assert (tally.status, tally.alone, tally.captured) == (Status.FAIL, "expected", "exit, east")

    def test_a_hop_that_is_silent(self) -> None:
        plan = tracing(", hops: [exit, east]")
        wrong, tally = judged(plan, seen(predicted(plan), ((1, "exit:eth2"),)))
        assert wrong == []
        assert (tally.status, tally.alone, tally.captured) == (Status.FAIL, "captured", "*, east")

    def test_silence_proves_nothing_where_the_tracer_dropped_packets(self) -> None:
        plan = tracing(", hops: [exit, east]")
        prediction = {"echo": predicted(plan)}
        tracers = {nic.point: Tracer(nic.point, "live", dropped=1) for nic in plan.traced()}
        found = {"echo": seen(prediction["echo"], ((1, "exit:eth2"),))}
        (tally,) = judge_hops(plan, expected_hops(plan, "across"), found, prediction, tracers)
        assert tally.status is Status.INCONCLUSIVE

    def test_where_the_model_knows_nothing_the_author_is_judged_alone(self) -> None:
        for hops, status in (("exit, east", Status.PASS), ("gate, east", Status.FAIL)):
            plan = tracing(f", hops: [{hops}]")
            prediction = predicted(plan)
            found = {"echo": seen(prediction)}
            unknown = [
                replace(one, end=replace(one.end, delivered=False, known=False)) for one in prediction.linux
            ]
            open_ = {"echo": replace(prediction, linux=tuple(unknown))}
            tracers = {nic.point: Tracer(nic.point, "live") for nic in plan.traced()}
            (tally,) = judge_hops(plan, expected_hops(plan, "across"), found, open_, tracers)
            assert (tally.status, tally.predicted) == (status, "not modeled, not modeled")

    def test_a_packet_that_is_lost_on_its_way_is_missing(self) -> None:
        plan = tracing()
        found = seen(predicted(plan))
        lost = tuple(
            hop
            for hop in found.hops
            if not (
                hop.packet.icmp
                and hop.packet.icmp.sequence == 3
                and str(hop.point) in ("exit:eth1", "east:eth1")
            )
        )
        wrong, tally = judged(plan, replace(found, hops=lost))
        assert ("missing", "exit:eth1") in {(item.kind, str(item.point)) for item in wrong}
        assert tally.status is Status.PASS  # the one before it arrived

    def test_two_errors_about_one_packet_are_wrong(self) -> None:
        plan = tracing()
        found = seen(predicted(plan))
        at_west = [hop for hop in found.errors if str(hop.point) == "west:eth1"]
        wrong, _ = judged(plan, replace(found, errors=(*found.errors, *at_west)))
        assert {(item.kind, str(item.point)) for item in wrong} == {("count", "west:eth1")}


class TestTunnel:
    """IPv6 in SRv6: an error about the outer header is the headend's, and the traceroute hears nothing of it."""

    TEXT = """\
name: tunnel
nodes:
  west: {role: host, routes: [{prefix: "::/0", via: "2001:1::2"}]}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64", tunnel_source: "fc00:a::1", routes: [{prefix: "fc00::/16", via: "2001:2::2"}]}
  middle: {role: router, locator: "fc00:b::/64", routes: [{prefix: "fc00:a::/64", via: "2001:2::1"}, {prefix: "2001:1::/64", via: "2001:2::1"}, {prefix: "fc00:c::/64", via: "2001:3::2"}]}
  exit: {role: router, locator: "fc00:c::/64", routes: [{prefix: "2001:1::/64", via: "2001:3::1"}]}
  east: {role: host, routes: [{prefix: "::/0", via: "2001:4::2"}]}
links:
  - {name: a, prefix: "2001:1::/64", endpoints: ["west:eth1", "gate:eth1"]}
  - {name: b, prefix: "2001:2::/64", endpoints: ["gate:eth2", "middle:eth1"]}
  - {name: c, prefix: "2001:3::/64", endpoints: ["middle:eth2", "exit:eth1"]}
  - {name: d, prefix: "2001:4::/64", endpoints: ["east:eth1", "exit:eth2"]}
local_sids:
  - {node: middle, sid: "fc00:b::e", behavior: End, flavors: [PSP]}
  - {node: exit, sid: "fc00:c::d6", behavior: End.DT6, table: 254}
steering:
  - {headend: gate, match: {prefix: "2001:4::/64"}, to: {segments: ["fc00:b::e", "fc00:c::d6"]}}
exercises:
  - {name: across, probes: [{id: echo, from: west, to: east, traceroute: 4}], expect: {elsewhere: any}}
"""

    def at_middle(self, text: str) -> tuple[Prediction, list[Hop]]:
        """The prediction, and the way of the error that the router in the tunnel sends."""
        prediction = predicted(planned(text))
        errors = [one for one in prediction.told if one.hops and one.hops[0].point.node == "middle"]
        assert [one.end.place.node for one in errors] == ["gate"]
        return prediction, [*errors[0].hops]

    def test_who_is_not_told_hears_nobody(self) -> None:
        prediction, _ = self.at_middle(self.TEXT)
        second = next(part for number, part in prediction.parts() if number == 2)
        assert _answerers(second) == [None]

    def test_who_answers_is_told_where_the_answer_is_lost(self) -> None:
        there_only = SMALL.replace("  - {headend: exit,", "x-no:\n  - {headend: exit,")
        (error,) = predicted(planned(there_only)).told
        assert [str(one) for one in error.hops[0].packet.ends] == ["10.0.2.2", "10.0.2.1"]
        assert (error.leg, error.end.delivered, error.end.place.node) == (Leg.THERE, True, "east")

    def test_linux_quotes_a_packet_with_the_srh_that_its_router_inserts(self) -> None:
        inline = self.TEXT.replace("}\nexercises", ", mode: inline}\nexercises")
        lengths = []
        for text in (inline, self.TEXT.replace("steering:", "x-no:")):
            told = predicted(planned(text)).told
            lengths.append(
                next(
                    one.hops[0].packet.length for one in told if one.hops and one.hops[0].point.node == "gate"
                )
            )
        srh = 8 + 3 * 16
        assert lengths[0] - lengths[1] == srh

    def test_a_nic_with_a_link_local_address_alone_lends_one_of_another(self) -> None:
        near = self.TEXT.replace(
            '"2001:2::/64", endpoints: ["gate:eth2"',
            '["fe80::/64", "2001:2::/64"], endpoints: [{at: "gate:eth2", address: ["fe80::9", "2001:2::1"]}',
        )
        errors = [one for one in predicted(planned(near)).told if one.hops and one.end.place.node == "gate"]
        assert {str(one.hops[0].packet.ends[0]) for one in errors} == {"2001:2::2"}

    @pytest.mark.parametrize(("answered", "alone"), [("none", "expected"), ("all", None)])
    def test_an_author_against_model_and_captures_stands_alone(
        self, answered: str, alone: str | None
    ) -> None:
        plan = planned(self.TEXT.replace("traceroute: 4", f"icmp: 3, answered: {answered}"))
        prediction = {"echo": predicted(plan)}
        back = next(one for one in prediction["echo"].linux if one.leg is Leg.BACK).hops[-1]
        answers = [replace(back, packet=replace(back.packet, icmp=Icmp(129, 0, 7, n))) for n in (1, 2, 3)]
        found = {"echo": Found(Sent("echo", 3, 3, TOKEN), tuple(answers))}
        tracers = {back.point: Tracer(back.point, "live")}
        (item,) = judge_answered([*expected_answers(plan, "across")], found, tracers, prediction)
        assert isinstance(item, AnswerTally) and item.alone == alone

    def test_linux_quotes_a_packet_as_it_is_behind_psp(self) -> None:
        _, popped = self.at_middle(self.TEXT)
        _, whole = self.at_middle(self.TEXT.replace(", flavors: [PSP]", ""))
        srh = 8 + 2 * 16
        assert whole[0].packet.length - popped[0].packet.length == srh


class TestDiagnosis:
    @pytest.mark.parametrize(
        ("lost", "first"),
        [
            ("exit:eth2", ("errors-limited", "exit")),
            ("gate:eth1", ("nic-down", "gate")),
            ("west:eth1", ("nic-down", "west")),
        ],
    )
    def test_where_the_error_is_lost(self, lost: str, first: tuple[str, str]) -> None:
        plan = tracing()
        prediction = predicted(plan)
        found = seen(prediction, ((1, lost),))
        suspects = [one for part, of in parts(found, prediction) for one in silent(plan, of, part)]
        assert (suspects[0].cause, suspects[0].node) == first

    def test_nothing_where_all_hops_answer(self) -> None:
        plan = tracing()
        prediction = predicted(plan)
        assert [
            one for part, of in parts(seen(prediction), prediction) for one in silent(plan, of, part)
        ] == []


def test_the_command_line() -> None:
    plan = tracing(", dscp: 10, source: 10.0.1.1")
    (probe,) = plan.exercises[0].probes
    words = " ".join(command(ip_address("10.0.2.1"), probe, TOKEN)[4:])
    assert words.startswith("--interval 0.02 --size 56 --patience 2")
    assert words.endswith(f"--token {TOKEN} --tos 40 --source 10.0.1.1 4 10.0.2.1")


class TestProgram:
    """What it reads of an answer, and that of this machine's own loopback."""

    def quoted(self, number: int = 3, identifier: int = 7, extension: bytes = b"") -> bytes:
        echo = struct.pack("!BBHHH", 128, 0, 0, identifier, number)
        following = 43 if extension else 58
        return bytes(6) + bytes([following, 1]) + bytes(32) + extension + echo

    def error(self, quoted: bytes, kind: int = 3) -> bytes:
        return struct.pack("!BBHHH", kind, 0, 0, 0, 0) + quoted

    def test_an_error_about_ours(self) -> None:
        assert traceroute._number(self.error(self.quoted()), socket.AF_INET6, 7) == (3, False)

    def test_behind_a_routing_header(self) -> None:
        extension = bytes([58, 2]) + bytes(22)
        assert traceroute._number(self.error(self.quoted(extension=extension)), socket.AF_INET6, 7) == (
            3,
            False,
        )

    @pytest.mark.parametrize("cut", range(0, 56, 5))
    def test_one_that_is_cut_short_is_nobodys(self, cut: int) -> None:
        assert traceroute._number(self.error(self.quoted())[:cut], socket.AF_INET6, 7) == (0, False)

    def test_anothers(self) -> None:
        assert traceroute._number(self.error(self.quoted(identifier=8)), socket.AF_INET6, 7) == (0, False)
        assert traceroute._number(self.error(self.quoted(), kind=135), socket.AF_INET6, 7) == (0, False)

    def test_a_checksum_is_zero_over_itself(self) -> None:
        data = b"\x08\x00\x00\x00\x12\x34\x00\x01odd"
        sound = traceroute.checksum(data)
        assert traceroute.checksum(data[:2] + sound.to_bytes(2) + data[4:]) == 0

    @pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
    @pytest.mark.parametrize("to", ["127.0.0.1", "::1"])
    def test_the_loopback_answers_each(self, to: str) -> None:
        (probe,) = tracing(most=3).exercises[0].probes
        said = subprocess.run(
            command(ip_address(to), probe, TOKEN), capture_output=True, text=True, timeout=30
        )
        assert said.stdout == f"3 packets transmitted, 3 received\nnote: {to} {to} {to}\n", said.stderr
