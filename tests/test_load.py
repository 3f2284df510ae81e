"""A load of flows: how fast it is sent, and what follows where tracers couldn't write all of it down."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import replace
from ipaddress import ip_address

import pytest

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.prediction import Prediction
from srv6lab.evidence.probes import Found, Sent
from srv6lab.evidence.verdict import Status
from srv6lab.judge.compare import compare
from srv6lab.judge.diagnose.first_break import find_break
from srv6lab.live.send import command, interval
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict
from srv6lab.topology.exercises import Probe

from .small import SMALL, planned

TOKEN = "ab" * 16


def loading(words: str = "udp: 10, rate: 1000") -> Plan:
    text = SMALL.replace("icmp: 3", words)
    return planned(text[: text.index("    expect:")] + "    expect: {elsewhere: any}\n")


def probe_of(plan: Plan) -> Probe:
    (probe,) = plan.exercises[0].probes
    return probe


def found(prediction: Prediction, kept: int) -> Found:
    """Ten flows as the model has them, of which a tracer behind the first wire kept some only."""
    hops = tuple(
        replace(hop, packet=replace(hop.packet, udp=replace(hop.packet.udp, source_port=20000 + number)))
        for trace in prediction.linux
        for hop in trace.hops
        for number in range(10 if hop.point.node == "west" else kept)
        if hop.packet.udp
    )
    return Found(Sent("echo", 10, 0, TOKEN), hops)


@pytest.mark.parametrize(
    ("words", "seconds"), [("udp: 10, rate: 50000", 0.00002), ("udp: 10", 0.001), ("icmp: 3", 0.02)]
)
def test_how_long_from_a_packet_to_the_next(words: str, seconds: float) -> None:
    assert interval(probe_of(loading(words))) == seconds


@pytest.mark.parametrize(("dropped", "status"), [(7, Status.INCONCLUSIVE), (0, Status.FAIL)])
def test_packets_that_a_tracer_dropped_are_no_failure_and_others_are(dropped: int, status: Status) -> None:
    plan = loading()
    (prediction,) = predict(plan, "across")
    tracers = {
        nic.point: Tracer(nic.point, "live", dropped=dropped * (nic.point.node != "west"))
        for nic in plan.traced()
    }
    one = found(prediction, 3)
    verdict = compare(
        "across", [], {"echo": one}, tracers, elsewhere_absent=False, predicted={"echo": prediction}
    )
    assert verdict.status is status
    notes = {item.note for item in verdict.items if item.status is Status.INCONCLUSIVE}
    assert notes == ({"the tracer dropped 7 packets"} if dropped else set())
    broken = find_break(prediction, one, tracers)
    assert (broken is None) is bool(dropped)


def test_a_wrong_packet_is_a_break_also_where_packets_were_dropped() -> None:
    plan = loading()
    (prediction,) = predict(plan, "across")
    tracers = {nic.point: Tracer(nic.point, "live", dropped=1) for nic in plan.traced()}
    (other,) = predict(loading("udp: 10, hop_limit: 9"), "across")
    broken = find_break(prediction, found(other, 3), tracers)
    assert broken is not None and str(broken.region[-1].point) == "west:eth1"


def test_the_program_keeps_the_rate() -> None:
    """A second hand for the whole, not a pause behind each: what one packet was late the next makes good."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taker:
        taker.bind(("127.0.0.1", 0))
        probe = probe_of(loading("udp: 300, rate: 1000")).model_copy(update={"port": taker.getsockname()[1]})
        began = time.monotonic()
        said = subprocess.run(
            command(ip_address("127.0.0.1"), probe, TOKEN), capture_output=True, text=True, timeout=30
        )
        took = time.monotonic() - began
    assert said.stdout.startswith("300 packets transmitted")
    assert took >= 0.29
