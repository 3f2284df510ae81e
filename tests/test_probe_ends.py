"""From which address a probe goes, to which, and what its header begins with: command lines, and the model's packets."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from srv6lab.evidence.packets import Direction, PacketView
from srv6lab.evidence.prediction import Leg, Prediction
from srv6lab.live.send import command
from srv6lab.plan.nodes import Plan
from srv6lab.predict import predict

from .small import SMALL, planned

PROBE = "{id: echo, from: west, to: east, icmp: 3}"
TOKEN = "00" * 16


def sending(probe: str) -> Plan:
    """The small lab with loopbacks at its hosts, and with another probe."""
    text = SMALL.replace(PROBE, probe)
    text = (
        text[: text.index("      elsewhere")]
        + '      packets: [{at: "gate:eth2", direction: out, probe: echo}]\n'
    )
    return planned(text.replace("west: {role: host,", 'west: {role: host, loopback: "fd00:1::1/128",'))


def first(plan: Plan) -> PacketView:
    """The first packet of the probe as the model sends it."""
    return predicted(plan).linux[0].hops[0].packet


def predicted(plan: Plan) -> Prediction:
    (one,) = predict(plan, "across")
    return one


def words(plan: Plan) -> str:
    (probe,) = plan.exercises[0].probes
    return " ".join(command(plan.target(probe), probe, TOKEN))


def test_what_a_probe_does_not_say_is_left_to_its_node() -> None:
    said = words(sending(PROBE))
    assert not {"-t", "-Q", "-I"} & {*said.split()}


@pytest.mark.parametrize(
    ("probe", "options"),
    [
        ("icmp: 1, dscp: 46, hop_limit: 9, source: 10.0.1.1", "-t 9 -Q 184 -I 10.0.1.1"),
        ("udp: 1, dscp: 46, hop_limit: 9, source: 10.0.1.1", "--hop-limit 9 --tos 184 --source 10.0.1.1"),
    ],
)
def test_what_it_says_is_sent(probe: str, options: str) -> None:
    assert options in words(sending(f"{{id: echo, from: west, to: east, {probe}}}"))


def test_the_model_begins_with_the_same() -> None:
    header = first(sending("{id: echo, from: west, to: east, icmp: 1, dscp: 46, hop_limit: 9}")).outer
    assert (header.traffic_class, header.hop_limit) == (184, 9)


def test_a_second_address_of_a_node() -> None:
    plan = sending('{id: echo, from: gate, destination: "fc00:b::1", source: "fc00:a::1", icmp: 1}')
    (probe,) = plan.exercises[0].probes
    assert (plan.target(probe), plan.receiver(probe)) == (ip_address("fc00:b::1"), "exit")
    header = first(plan).outer
    assert (str(header.source), str(header.destination)) == ("fc00:a::1", "fc00:b::1")


def test_an_address_of_no_node() -> None:
    plan = sending("{id: echo, from: west, destination: 10.0.2.77, icmp: 1}")
    (probe,) = plan.exercises[0].probes
    assert plan.receiver(probe) is None
    end = predicted(plan).linux[0].end
    assert (end.delivered, end.reason) == (False, "nobody on exit:eth1's link has the address 10.0.2.77")


def test_the_family_that_it_says() -> None:
    plan = sending("{id: echo, from: gate, to: exit, family: 6, icmp: 1}")
    (probe,) = plan.exercises[0].probes
    assert plan.target(probe).version == 6


def test_a_loopback_is_an_address_to_send_from() -> None:
    plan = sending('{id: echo, from: west, source: "fd00:1::1", destination: "fc00:b::1", icmp: 1}')
    assert "-I fd00:1::1" in words(plan)


def test_a_ttl_that_is_used_up_is_used_up_behind_the_tunnel_and_a_router_tells() -> None:
    """By RFC 8986 section 5.1 the headend takes the hop, by Linux the router behind the tunnel."""
    found = predicted(sending("{id: echo, from: west, to: east, icmp: 1, hop_limit: 1}"))
    (by_rfc,), (by_linux,) = found.rfc, found.linux
    assert (by_rfc.end.place.node, by_linux.end.place.node) == ("gate", "exit")
    (told,) = found.told
    assert (told.leg, told.end.delivered, told.end.place.node) == (Leg.BACK, True, "west")
    assert str(told.hops[-1].packet.innermost.source) == "10.0.2.2"
    assert told.hops[-1].direction is Direction.IN


def test_an_echo_reply_has_the_traffic_class_of_its_request() -> None:
    found = predicted(sending("{id: echo, from: gate, to: exit, family: 6, dscp: 10, icmp: 1}"))
    back = [one for one in found.linux if one.leg is Leg.BACK]
    assert {one.hops[0].packet.outer.traffic_class for one in back} == {40}


def test_an_error_keeps_four_bits_of_the_tos() -> None:
    found = predicted(sending("{id: echo, from: west, to: east, udp: 1, dscp: 10, size: 56}"))
    assert {one.hops[-1].packet.innermost.traffic_class for one in found.told} == {0xC8}


def test_a_node_answers_for_the_address_that_was_asked() -> None:
    found = predicted(sending('{id: echo, from: gate, destination: "fc00:b::1", udp: 1}'))
    assert {str(one.hops[-1].packet.innermost.source) for one in found.told} == {"fc00:b::1"}
