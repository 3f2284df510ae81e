"""Frames that go into SRv6 whole, and come out of it: their walks, their notation, and who sent them."""

from __future__ import annotations

import pytest

from srv6lab.capture.probes import find_all
from srv6lab.capture.reading import Capture
from srv6lab.evidence.packets import Direction, Icmp, Point
from srv6lab.evidence.prediction import Trace
from srv6lab.evidence.probes import Sent
from srv6lab.evidence.wording import foretell, sentence
from srv6lab.predict import LINUX, RFC, traces
from srv6lab.predict.namespaces import ModeledLab
from srv6lab.topology.notation import NotationError, parse, written
from tests.small import header, packet, planned

TEXT = """\
name: small
nodes:
  west: {role: host}
  gate: {role: router, locator: "fc00:a::/64", loopback: "fc00:a::1/64", routes: [{prefix: "fc00:b::/64", via: "2001:ab::2"}]}
  exit: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}]}
  east: {role: host}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: [{at: "west:eth1", address: 10.0.1.1}, "gate:eth1"]}
  - {name: core, prefix: "2001:ab::/64", mtu: 2000, endpoints: ["gate:eth2", "exit:eth2"]}
  - {name: cable-b, prefix: 10.0.1.0/24, endpoints: ["exit:eth1", {at: "east:eth1", address: 10.0.1.2}]}
local_sids:
  - {node: gate, sid: "fc00:a::d2", behavior: End.DX2, nic: eth1}
  - {node: exit, sid: "fc00:b::d2", behavior: End.DX2, nic: eth1}
steering:
  - {headend: gate, match: {nic: eth1}, to: {segments: ["fc00:b::d2"]}, mode: l2encap}
  - {headend: exit, match: {nic: eth1}, to: {segments: ["fc00:a::d2"]}, mode: l2encap.red}
exercises:
  - {name: across, probes: [{id: echo, from: west, to: east, icmp: 3}], expect: {elsewhere: any}}
"""
SIX = TEXT.replace("10.0.1.0/24", "2001:c::/64").replace("10.0.1.", "2001:c::").replace(
    ": 2001:c::1}", ': "2001:c::1"}').replace(": 2001:c::2}", ': "2001:c::2"}').replace("prefix: 2001:c::/64", 'prefix: "2001:c::/64"')  # fmt: skip


def walked(text: str = TEXT, quirks: frozenset[str] = LINUX) -> tuple[Trace, ...]:
    plan = planned(text)
    exercise = plan.exercises[0]
    return tuple(traces(ModeledLab(plan, exercise.apply), exercise.probes[0], quirks))


def lines(trace: Trace) -> list[str]:
    return [
        f"{hop.point} {sentence(foretell(hop.packet))}"
        for hop in trace.hops
        if hop.direction is Direction.OUT
    ]


def end(text: str, quirks: frozenset[str] = LINUX) -> str:
    there = walked(text, quirks)[0]
    return f"{there.end.place}: {there.end.reason}"


def test_a_frame_is_carried_as_it_is() -> None:
    there, back = walked()
    assert lines(there) == [
        "west:eth1 10.0.1.1 → 10.0.1.2 hl 64 icmp",
        "gate:eth2 2001:ab::1 → fc00:b::d2 hl 63 [*fc00:b::d2] SL 0 | eth | 10.0.1.1 → 10.0.1.2 hl 64 icmp",
        "exit:eth1 10.0.1.1 → 10.0.1.2 hl 64 icmp",
    ]
    assert lines(back)[1] == "exit:eth2 2001:ab::2 → fc00:a::d2 hl 63 | eth | 10.0.1.2 → 10.0.1.1 hl 64 icmp"
    assert there.end.delivered
    assert back.end.delivered


def test_its_macs_are_those_of_the_two_hosts_everywhere() -> None:
    plan, there = planned(TEXT), walked()[0]
    west, east = (plan.node(name).nics[0].mac for name in ("west", "east"))
    first, outer, last = (hop.packet for hop in there.hops if hop.direction is Direction.OUT)
    assert {(one.source_mac, one.destination_mac) for one in (first, last)} == {(west, east)}
    assert (outer.outer.frame_source, outer.outer.frame_destination) == (west, east)
    assert {outer.source_mac, outer.destination_mac} == {nic.mac for nic in plan.nics() if nic.link == "core"}
    assert outer.length == 14 + 40 + 24 + 14 + 84


def test_by_the_rfc_no_hop_is_taken_at_the_headend() -> None:
    there = walked(quirks=RFC)[0]
    assert lines(there)[1].startswith("gate:eth2 2001:ab::1 → fc00:b::d2 hl 64 ")
    assert walked()[0].hops[-1].quirks == ("frame-encapsulated-before-the-hop",)


@pytest.mark.parametrize(("hops", "outside"), [(33, 32), (2, 1)])
def test_the_tunnel_has_the_hop_limit_of_ipv6_inside(hops: int, outside: int) -> None:
    there = walked(SIX.replace("icmp: 3", f"icmp: 3, hop_limit: {hops}"))[0]
    assert f"hl {outside} [" in lines(there)[1]
    assert there.hops[-1].packet.outer.hop_limit == hops


def test_a_frame_with_one_hop_left_is_lost_only_on_linux() -> None:
    one = SIX.replace("icmp: 3", "icmp: 3, hop_limit: 1")
    assert end(one).startswith("gate: ICMPv6 Time Exceeded")
    assert walked(one, RFC)[0].end.delivered
    assert walked(TEXT.replace("icmp: 3", "icmp: 3, hop_limit: 1"))[0].end.delivered


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("nic: eth1}, to: {segments: [\"fc00:b::d2\"]}", "nic: eth1, prefix: 10.0.1.9/32}, to: {segments: [\"fc00:b::d2\"]}",
         "gate: gate has no route to 10.0.1.2"),
        # where the segments lead to no NIC nobody is there of whom west could be told
        ("behavior: End.DX2, nic: eth1}\nsteering", "behavior: End}\nsteering",
         "west: nobody on west:eth1's link has the address 10.0.1.2"),
        ("mtu: 2000", "mtu: 1280", ""),
    ],
)  # fmt: skip
def test_where_a_frame_ends(old: str, new: str, reason: str) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new)
    if reason:
        assert end(text).startswith(reason)
    else:
        assert end(text.replace("icmp: 3", "icmp: 3, size: 1180")) == (
            "gate: too big: 1286 bytes are 6 more than the MTU 1280 of gate:eth2"
        )


def test_a_frame_too_big_for_the_last_link_is_lost_without_a_word() -> None:
    text = TEXT.replace("{name: cable-b, prefix", "{name: cable-b, mtu: 1300, prefix")
    there = walked(text.replace("icmp: 3", "icmp: 3, size: 1280"))[0]
    assert there.end.reason == "too big: 1308 bytes are 8 more than the MTU 1300 of exit:eth1"


def test_nothing_comes_out_of_a_nic_that_is_down() -> None:
    down = TEXT.replace("across, probes", 'across, apply: [{link: {at: "exit:eth1", state: down}}], probes')
    assert end(down) == "exit: exit:eth1 is down"


def test_a_host_takes_no_frame_for_another_mac() -> None:
    """A third host beside east, which isn't told so: the frame comes to it by the wrong SID."""
    text = TEXT.replace(
        "  east: {role: host}\n", "  east: {role: host}\n  third: {role: host}\n"
    ).replace(
        "local_sids:\n",
        '  - {name: cable-c, prefix: 10.0.1.0/24, endpoints: ["exit:eth3", {at: "third:eth1", address: 10.0.1.3}]}\n'
        'local_sids:\n  - {node: exit, sid: "fc00:b::d3", behavior: End.DX2, nic: eth3}\n',
    ).replace(
        "expect:",
        'apply: [{steering: {headend: gate, match: {nic: eth1}, to: {segments: ["fc00:b::d3"]}, mode: l2encap}}], expect:',
    )  # fmt: skip
    assert " is none for third:eth1" in end(text)


def test_a_firewall_finds_nothing_in_a_frame() -> None:
    """nftables looks for IPv4 behind the SRH, and there is Ethernet; ip6tables takes the tunnel."""
    rule = "apply: [{firewall: {name: stop, at: exit, tool: %s, chain: FORWARD%s, verdict: drop}}], expect:"
    deep = TEXT.replace("expect:", rule % ("nftables", ", inner: {protocol: icmp}"))
    assert walked(deep)[0].end.delivered
    core = TEXT.replace("expect:", (rule % ("ip6tables", "")).replace("at: exit", "at: gate"))
    assert end(core) == "gate: firewall stop drops it in FORWARD"


# --- notation


@pytest.mark.parametrize(
    "text",
    [
        "2001:12::1 → fc00:2::e [fc00:3::d2, *fc00:2::e] | eth | 10.0.0.1 → 10.0.0.2 hl 64 icmp",
        "2001:12::1 → fc00:2::e | 2001:23::1 → fc00:3::d2 | eth | 2001:c::1 → 2001:c::2 udp",
        "2001:12::1 → fc00:2::e hl 63 | eth",
    ],
)
def test_a_header_that_holds_a_frame(text: str) -> None:
    assert written(parse(text)) == text
    holding = parse(text).headers[-2 if text.count("→") > 1 else -1]
    assert holding["protocol"].value == "ethernet"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("eth | 10.0.0.1 → 10.0.0.2", 0),
        ("2001:12::1 → fc00:2::e | eth | eth | 10.0.0.1 → 10.0.0.2", 31),
        ("2001:12::1 → fc00:2::e eth", 23),
        ("2001:12::1 → fc00:2::e | eth hl 3", 25),
    ],
)
def test_a_frame_stands_behind_its_header_alone(text: str, at: int) -> None:
    with pytest.raises(NotationError) as caught:
        parse(text)
    assert caught.value.at == at


def test_same_goes_past_a_frame() -> None:
    before = parse("2001:12::1 → fc00:2::e [*fc00:2::e] | eth | 10.0.0.1 → 10.0.0.2 hl 64 icmp")
    last = parse("same", before)
    assert last.document() == {
        "source": "10.0.0.1",
        "destination": "10.0.0.2",
        "hop_limit": 64,
        "protocol": "icmp",
    }
    assert written(parse("same hl 3 | eth | same", before), before) == "same hl 3 | eth | same"


# --- who sent a frame


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_what_a_circuit_sends_has_the_mac_of_a_host_far_away(ours: bool, elsewhere: bool) -> None:
    """At exit:eth1 an echo request of west goes out, and the answer of east comes in; in captures from elsewhere with
    MACs that the plan doesn't have."""
    plan = planned(TEXT)
    macs = [plan.node(name).nics[0].mac for name in ("west", "east")]
    if elsewhere and not ours:
        macs = ["08:00:27:00:00:0a", "08:00:27:00:00:0b"]
    token = "00112233445566778899aabbccddeeff"
    views = [
        packet(header(*ends, 64, "icmp"), macs=pair, icmp=Icmp(kind, 0, 7, 1), payload=bytes.fromhex(token))
        for ends, pair, kind in (
            (("10.0.1.1", "10.0.1.2"), (macs[0], macs[1]), 8),
            (("10.0.1.2", "10.0.1.1"), (macs[1], macs[0]), 0),
        )
    ]
    at = {point: Capture(tuple(views)) for point in (Point("exit", "eth1"), Point("east", "eth1"))}
    captures = {nic.point: Capture() for nic in plan.nics()} | at
    sent = {"echo": Sent("echo", 1, 1, token)} if ours else {}
    hops = find_all(plan, plan.exercises[0].probes, captures, sent)["echo"].hops
    seen = {(str(hop.point), hop.direction, hop.packet.icmp and hop.packet.icmp.type) for hop in hops}
    assert seen == {
        ("exit:eth1", Direction.OUT, 8),
        ("exit:eth1", Direction.IN, 0),
        ("east:eth1", Direction.IN, 8),
        ("east:eth1", Direction.OUT, 0),
    }
    if elsewhere and not ours:  # of west's MAC nobody knows what it is in the plan
        east = plan.node("east").nics[0].mac
        assert {mac for hop in hops for mac in (hop.packet.source_mac, hop.packet.destination_mac)} == {
            "",
            east,
        }
